"""The archive as JSON: true to its description, and no more than what was sent."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.archive.schemas import SentIssue, SentIssues, Situations
from app.database import Database
from tests.archive.rows import FIRST, SECOND, approved, sent, stored
from tests.support.builders import NEWSLETTER


@pytest.fixture
def archive(readers: TestClient, database: Database) -> TestClient:
    with database.transaction() as session:
        sent(session, "2024-W51", {**FIRST, "situation": "better"}, segments=("be-ru",))
        sent(session)
        approved(session, stored(session, "2025-W05", SECOND), "en")
        stored(session, "2025-W06", SECOND)
    return readers


def test_the_issues_of_a_segment(archive: TestClient) -> None:
    body = archive.get("/v1/archive/be-ru").json()
    SentIssues.model_validate(body)
    assert (body["segment"], body["languages"]) == ("be-ru", ["be", "ru"])
    assert [each["week"] for each in body["issues"]] == ["2025-W04", "2024-W51"]
    newest = body["issues"][0]
    assert (newest["first_day"], newest["last_day"]) == ("2025-01-20", "2025-01-26")
    assert newest["launched_at"] == "2025-01-27T10:00:00Z"
    assert newest["commentaries"] == [
        {
            "rubric": "economy",
            "situation": "worse",
            "titles": {"be": "Цэны — і зарплаты", "ru": "Цены и зарплаты"},
        },
        {"rubric": "security", "situation": "better", "titles": {"be": "Ціхі тыдзень"}},
    ]


@pytest.mark.parametrize(
    ("query", "weeks"),
    [
        ("from=2025-W01", ["2025-W04"]),
        ("to=2024-W51", ["2024-W51"]),
        ("from=2024-W52&to=2025-W03", []),
        ("from=2025-W04&to=2024-W51", []),
    ],
)
def test_from_and_to(archive: TestClient, query: str, weeks: list[str]) -> None:
    issues = archive.get(f"/v1/archive/be-ru?{query}").json()["issues"]
    assert [each["week"] for each in issues] == weeks
    economy = archive.get(f"/v1/situation?rubric=economy&{query}").json()["rubrics"][0]
    assert [each["week"] for each in economy["weeks"]] == weeks


def test_an_issue(archive: TestClient) -> None:
    body = archive.get("/v1/archive/en/2025-W04").json()
    SentIssue.model_validate(body)
    first = body["commentaries"][0]
    assert first["author"] == "A. Author & Co"
    nothing: dict[str, Any] = {"alt": {}, "url": None, "width": None, "height": None}
    assert first["photo"] == {"credit": "Photo <Agency>", **nothing}
    assert body["commentaries"][1]["photo"] is None
    assert list(first["texts"]) == ["en"], "what this segment does not read is not told"
    assert first["texts"]["en"]["body"] == FIRST["texts"]["en"]["body"]
    assert "<li>one</li>" in first["texts"]["en"]["html"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/archive/xx", "segment"),
        ("/v1/archive/xx/2025-W04", "segment"),
        ("/v1/archive/en/2025-W05", "week"),
        ("/v1/archive/en/2025-W06", "week"),
        ("/v1/archive/en/2024-W51", "week"),
        ("/v1/archive/en/yesterday", "week"),
    ],
)
def test_what_is_not_there(archive: TestClient, path: str, field: str) -> None:
    answer = archive.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert "cache-control" not in answer.headers


@pytest.mark.parametrize(
    ("query", "field"),
    [("from=sesame", "from"), ("to=2025-W54", "to"), ("rubric=sesame", "rubric")],
)
def test_a_wrong_question_names_its_field(archive: TestClient, query: str, field: str) -> None:
    answer = archive.get(f"/v1/situation?{query}")
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert query.partition("=")[2] not in answer.text


def test_the_situation_of_every_rubric(archive: TestClient) -> None:
    body = archive.get("/v1/situation").json()
    Situations.model_validate(body)
    told = {each["rubric"]: each["weeks"] for each in body["rubrics"]}
    assert list(told) == [rubric.id for rubric in NEWSLETTER.rubrics]
    assert told["economy"] == [
        {"week": "2025-W04", "situation": "worse"},
        {"week": "2024-W51", "situation": "better"},
    ], "an issue sent to two segments counts once"
    assert told["security"] == [{"week": "2025-W04", "situation": "better"}]
    assert told["belarus-west"] == []
    assert body["rubrics"][0]["name"] == NEWSLETTER.rubrics[0].name


def test_two_commentaries_on_one_rubric_are_two_verdicts(
    readers: TestClient, database: Database
) -> None:
    with database.transaction() as session:
        sent(session, "2025-W04", FIRST, {**FIRST, "situation": "better"})
    (economy,) = readers.get("/v1/situation?rubric=economy").json()["rubrics"]
    assert [each["situation"] for each in economy["weeks"]] == ["worse", "better"]


def test_any_website_may_read_it(archive: TestClient) -> None:
    for path in ("/v1/archive/en", "/v1/archive/en/2025-W04", "/v1/situation"):
        assert archive.get(path).headers["access-control-allow-origin"] == "*"


def test_openapi_describes_it(archive: TestClient) -> None:
    paths: dict[str, Any] = archive.get("/openapi.json").json()["paths"]
    for path, model in (
        ("/v1/archive/{segment}", "SentIssues"),
        ("/v1/archive/{segment}/{week}", "SentIssue"),
        ("/v1/situation", "Situations"),
    ):
        responses = paths[path]["get"]["responses"]
        schema = responses["200"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": f"#/components/schemas/{model}"}
        assert "304" in responses
    named = {each["name"] for each in paths["/v1/situation"]["get"]["parameters"]}
    assert named == {"rubric", "from", "to"}
    feed = paths["/archive/{segment}/feed.xml"]["get"]["responses"]
    assert list(feed["200"]["content"]) == ["application/atom+xml"]
    assert list(feed["404"]["content"]) == ["text/html"]
    page = paths["/archive/{segment}/{week}"]["get"]["responses"]
    assert list(page["200"]["content"]) == ["text/html"]
