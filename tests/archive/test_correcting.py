"""Corrections, as readers and operators see them: over HTTP, in both segments and all languages."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from app.addresses.keyring import Keyring
from app.archive.schemas import SentIssue, SentIssues
from app.database import Database
from app.issues.models import IssueVersion
from app.mailings.models import Mailing
from app.operators.audit import entries
from tests.archive.rows import FIRST, SECOND, approved, sent, stored
from tests.support.clock import MONDAY, SetClock

URL = "/v1/issues/2025-W04/corrections"
NOTE = {"en": "It is 9%, not 8%.", "be": "Не 8, а 9 %.", "ru": "Не 8, а 9 %."}
REASON = {"en": "The source took it back.", "ru": "Источник отозвал сведения."}
DAYS = {
    "en": "January 27, 2025",
    "be": "27\u00a0студзеня 2025",
    "ru": "27\u00a0января 2025",
}


def document(*commentaries: dict[str, Any]) -> dict[str, Any]:
    return {"week": "2025-W04", "commentaries": list(commentaries) or [FIRST, SECOND]}


def corrected(title: str = "Prices & pay") -> dict[str, Any]:
    texts = {**FIRST["texts"], "en": {"title": title, "body": "It is 9%."}}
    return document({**FIRST, "texts": texts}, SECOND)


@pytest.fixture
def archive(readers: TestClient, database: Database) -> TestClient:
    with database.transaction() as session:
        sent(session)
    return readers


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def page(archive: TestClient, segment: str, language: str) -> str:
    return plain(archive.get(f"/archive/{segment}/2025-W04?language={language}").text)


def test_a_correction_is_dated_in_the_reader_s_language(
    archive: TestClient, operators: TestClient
) -> None:
    before = operators.get("/v1/issues/2025-W04").headers["ETag"]
    answer = operators.post(URL, json={"content": corrected(), "note": NOTE})
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert answer.headers["ETag"] == f'"{answer.json()["etag"]}"' != before
    assert answer.headers["ETag"] == operators.get("/v1/issues/2025-W04").headers["ETag"]
    for segment, language, said in (
        ("en", "en", "Corrected on January 27, 2025: <span>It is 9%, not 8%."),
        ("be-ru", "be", "Выпраўлена 27 студзеня 2025 г.: <span>Не 8, а 9 %."),
        ("be-ru", "ru", "Исправлено 27 января 2025 г.: <span>Не 8, а 9 %."),
    ):
        assert said in page(archive, segment, language), language
        feed = plain(archive.get(f"/archive/{segment}/feed.xml?language={language}").text)
        assert said.partition("<")[0] in feed
    assert "Prices &amp; pay" in page(archive, "en", "en")
    assert "Prices & wages" not in json.dumps(archive.get("/v1/archive/en").json())
    body = archive.get("/v1/archive/be-ru/2025-W04").json()
    SentIssue.model_validate(body)
    assert body["corrections"] == [
        {"day": "2025-01-27", "text": {"be": NOTE["be"], "ru": NOTE["ru"]}}
    ]


def test_a_note_in_the_segment_s_other_language_is_marked(
    archive: TestClient, operators: TestClient
) -> None:
    note = {"en": NOTE["en"], "ru": NOTE["ru"]}
    assert operators.post(URL, json={"content": corrected(), "note": note}).status_code == 200
    assert '<span lang="ru">Не 8, а 9 %.</span>' in page(archive, "be-ru", "be")
    assert "<span>Не 8, а 9 %.</span>" in page(archive, "be-ru", "ru")


def test_updated_is_later_than_published(
    archive: TestClient, operators: TestClient, database: Database
) -> None:
    with database.transaction() as session:
        session.execute(update(Mailing).values(launched_at=MONDAY.replace(hour=8)))
    operators.post(URL, json={"content": corrected(), "note": NOTE})
    feed = archive.get("/archive/en/feed.xml")
    assert feed.text.count("<updated>2025-01-27T10:00:00Z</updated>") == 2, "feed and entry"
    assert "<published>2025-01-27T08:00:00Z</published>" in feed.text
    assert feed.headers["Last-Modified"] == "Mon, 27 Jan 2025 10:00:00 GMT"
    listed = archive.get("/v1/archive/en").json()
    SentIssues.model_validate(listed)
    assert listed["issues"][0]["updated_at"] == "2025-01-27T10:00:00Z"
    assert listed["issues"][0]["launched_at"] == "2025-01-27T08:00:00Z"


def test_a_withdrawn_commentary_leaves_only_its_reason(
    archive: TestClient, operators: TestClient
) -> None:
    operators.post(URL, json={"content": corrected(), "note": NOTE})
    answer = operators.post(URL, json={"withdraw": 1, "reason": REASON})
    assert (answer.status_code, answer.json()["version"]) == (200, 3)
    for segment, language, said in (
        ("en", "en", "This commentary was withdrawn on January 27, 2025: <span>The source took"),
        ("be-ru", "be", 'адкліканы 27 студзеня 2025 г.: <span lang="ru">Источник отозвал'),
        ("be-ru", "ru", "Этот комментарий отозван 27 января 2025 г.: <span>Источник отозвал"),
    ):
        shown = page(archive, segment, language)
        assert said in shown, language
        assert 'id="commentary-1"' in shown, "messages link to it"
        assert 'id="commentary-2"' in shown
    gone = ("Prices", "Цэны", "Цены", "A. Author", "Photo &lt;", "Пра цэны", "worse")
    for path in (
        "/archive/en/2025-W04",
        "/archive/be-ru/2025-W04",
        "/archive/be-ru/2025-W04?language=ru",
        "/archive/be-ru",
        "/archive/en/feed.xml",
        "/archive/be-ru/feed.xml?language=ru",
        "/v1/archive/en",
        "/v1/archive/en/2025-W04",
        "/v1/archive/be-ru/2025-W04",
        "/v1/situation",
    ):
        text = archive.get(path).text
        assert [each for each in gone if each in text] == [], path
    body = archive.get("/v1/archive/be-ru/2025-W04").json()
    SentIssue.model_validate(body)
    assert body["commentaries"][0]["withdrawn"] == {
        "day": "2025-01-27",
        "text": {"ru": REASON["ru"]},
    }
    again = operators.post(URL, json={"withdraw": 1, "reason": REASON})
    assert again.status_code == 409
    assert operators.post(URL, json={"reinstate": 1, "note": NOTE}).status_code == 200
    assert "Prices &amp; pay" in page(archive, "en", "en")
    assert operators.post(URL, json={"reinstate": 1, "note": NOTE}).status_code == 409


def test_earlier_versions_are_kept_for_operators(
    archive: TestClient, operators: TestClient, database: Database
) -> None:
    assert operators.get("/v1/issues/2025-W04/versions").json() == []
    operators.post(URL, json={"content": corrected(), "note": NOTE})
    operators.post(URL, json={"withdraw": 2, "reason": REASON})
    listed = operators.get("/v1/issues/2025-W04/versions").json()
    assert [(each["version"], each["kind"]) for each in listed] == [
        (3, "withdrawal"),
        (2, "correction"),
        (1, "original"),
    ]
    first = operators.get("/v1/issues/2025-W04/versions/1").json()
    assert first["content"]["commentaries"][0]["texts"]["en"]["title"] == "Prices & wages"
    assert first["made_by"] == "editor"
    third = operators.get("/v1/issues/2025-W04/versions/3").json()
    assert third["corrections"]["withdrawn"]["2"]["reason"] == REASON
    assert operators.get("/v1/issues/2025-W04/versions/4").status_code == 404
    assert archive.get("/v1/issues/2025-W04/versions").status_code == 404
    with database.reading() as session:
        acts = [each.action for each in entries(session)]
    assert acts == ["commentary withdrawn", "issue corrected"]


@pytest.mark.parametrize(
    ("wish", "status", "field"),
    [
        ({"content": corrected()}, 422, "body"),
        ({"note": NOTE}, 422, "body"),
        ({"withdraw": 1, "reason": REASON, "content": corrected(), "note": NOTE}, 422, "body"),
        ({"withdraw": 1, "reason": REASON, "note": NOTE}, 422, "body"),
        ({"withdraw": 3, "reason": REASON}, 422, "withdraw"),
        ({"withdraw": 0, "reason": REASON}, 422, "withdraw"),
        ({"withdraw": 1, "reason": {"en": "x"}}, 422, "reason"),
        ({"withdraw": 1, "reason": {**REASON, "de": "x"}}, 422, "reason.de"),
        ({"withdraw": 1, "reason": {**REASON, "en": "a\u202eb"}}, 422, "reason.en"),
        ({"content": corrected(), "note": {"be": "Не."}}, 422, "note"),
        ({"content": document(FIRST), "note": NOTE}, 422, "content.commentaries"),
        ({"content": {**document(), "week": "2025-W05"}, "note": NOTE}, 422, "content.week"),
        (
            {"content": document({**FIRST, "rubric": "x"}, SECOND), "note": NOTE},
            422,
            "commentaries.0.rubric",
        ),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(
    wish: dict[str, Any],
    status: int,
    field: str,
    archive: TestClient,
    operators: TestClient,
    database: Database,
) -> None:
    before = archive.get("/archive/en/2025-W04").text
    answer = operators.post(URL, json=wish)
    assert answer.status_code == status, answer.text
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert archive.get("/archive/en/2025-W04").text == before
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(IssueVersion)) == 0


def test_a_correction_passes_the_checks_of_an_issue(
    archive: TestClient, operators: TestClient
) -> None:
    faulty = {
        **SECOND,
        "texts": {**SECOND["texts"], "en": {"title": "T", "body": "[a](http://example.org/x)"}},
    }
    lacking = {**SECOND, "texts": {"be": SECOND["texts"]["be"]}}
    answer = operators.post(URL, json={"content": document(FIRST, lacking), "note": NOTE})
    assert (answer.status_code, answer.json()["missing"]) == (409, {"en": ["commentaries.1.texts"]})
    answer = operators.post(URL, json={"content": document(FIRST, faulty), "note": NOTE})
    assert answer.status_code == 409
    assert "commentaries.1.texts.en.body" in [each["where"] for each in answer.json()["findings"]]
    assert operators.get("/v1/issues/2025-W04/versions").json() == [], "nothing of it is kept"


def test_the_issue_must_be_the_one_that_was_read(
    archive: TestClient, operators: TestClient
) -> None:
    etag = operators.get("/v1/issues/2025-W04").headers["ETag"]
    wish = {"content": corrected(), "note": NOTE}
    assert operators.post(URL, json=wish, headers={"If-Match": '"x"'}).status_code == 412
    assert operators.post(URL, json=wish, headers={"If-Match": etag}).status_code == 200
    assert operators.post(URL, json=wish, headers={"If-Match": etag}).status_code == 412


@pytest.mark.parametrize("state", ["draft", "approved", "recalled"])
def test_what_nobody_sees_is_not_corrected(
    state: str, operators: TestClient, database: Database
) -> None:
    with database.transaction() as session:
        week = stored(session)
        if state == "approved":
            approved(session, week, "en")
        if state == "recalled":
            sent(session)
            session.execute(update(Mailing).values(state="recalled"))
    answer = operators.post(URL, json={"content": corrected(), "note": NOTE})
    assert answer.status_code == 409
    assert "vestka issue put" in answer.json()["detail"]


def test_a_segment_approved_later_gets_nothing_that_was_withdrawn(
    operators: TestClient, database: Database, clock: SetClock, keyring: Keyring
) -> None:
    with database.transaction() as session:
        sent(session, segments=("en",))
    operators.post(URL, json={"withdraw": 1, "reason": {"en": "No."}})
    assert operators.post("/v1/issues/2025-W04/approval", json={}).status_code == 200
    edition = operators.get("/v1/issues/2025-W04/editions/be-ru").json()
    assert "Ціхі тыдзень" in plain(edition["text"])
    assert "Цэны" not in edition["text"]
