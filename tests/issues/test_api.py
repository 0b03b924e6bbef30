"""The operators' calls for drafts: ETags, statuses, and an audit of what was done."""

from typing import Any

from fastapi.testclient import TestClient

from tests.support.builders import a_document

URL = "/v1/issues/2025-W04"


def audit(operators: TestClient) -> list[tuple[str, str]]:
    return [(each["action"], each["subject"]) for each in operators.get("/v1/audit").json()]


def test_a_draft_is_stored_read_and_listed(operators: TestClient) -> None:
    made = operators.put(URL, json=a_document())
    assert made.status_code == 201
    assert operators.put(URL, json=a_document()).status_code == 200
    got = operators.get(URL)
    assert got.headers["etag"] == made.headers["etag"] == f'"{got.json()["etag"]}"'
    assert got.json()["content"]["week"] == "2025-W04"
    (listed,) = operators.get("/v1/issues").json()
    assert (listed["week"], listed["commentaries"], listed["approved"]) == ("2025-W04", 1, [])
    assert audit(operators)[-1] == ("issue stored", "2025-W04")


def test_what_was_read_can_be_stored_again(operators: TestClient) -> None:
    etag = operators.put(URL, json=a_document()).headers["etag"]
    content = operators.get(URL).json()["content"]
    content["commentaries"][0].pop("author", None)
    content["commentaries"][0].pop("photo", None)
    assert operators.put(URL, json=content).headers["etag"] == etag


def test_only_who_has_seen_it_replaces_it(operators: TestClient) -> None:
    etag = operators.put(URL, json=a_document()).headers["etag"]
    changed = a_document(said="Other")
    for if_match, status in ((etag, 200), (etag, 412), ('"x"', 412), ("*", 200)):
        answer = operators.put(URL, json=changed, headers={"If-Match": if_match})
        assert answer.status_code == status
    assert operators.delete(URL, headers={"If-Match": etag}).status_code == 412
    assert operators.delete(URL).status_code == 204
    assert operators.get(URL).status_code == operators.delete(URL).status_code == 404


def test_an_approved_issue_is_closed(operators: TestClient) -> None:
    operators.put(URL, json=a_document())
    operators.post(f"{URL}/approval")
    for answer in (operators.put(URL, json=a_document(said="Other")), operators.delete(URL)):
        assert answer.status_code == 409
        assert answer.json()["type"] == "urn:vestka:problem:issue-closed"
    assert operators.put(URL, json=a_document()).status_code == 200


def test_a_week_that_does_not_exist_is_refused(operators: TestClient) -> None:
    for week in ("2025-W54", "2025-W53", "2025-W00", "2025-04", "x", "2025-W04%00"):
        answer = operators.put(f"/v1/issues/{week}", json=a_document())
        assert answer.status_code == (404 if week == "2025-W53" else 422), week
        assert answer.json()["errors"][0]["field"] == "week"


def wrong_documents() -> list[tuple[dict[str, Any], str]]:
    extra, text, week, none, rubric = (a_document() for _ in range(5))
    extra["commentaries"][0]["mood"] = "seldomseen"
    text["commentaries"][0]["texts"]["en"]["title"] = "seldomseen\nBcc: x@example.org"
    week["week"] = "2025-W05"
    none["commentaries"] = []
    rubric["commentaries"][0]["rubric"] = "seldomseen"
    return [
        (extra, "commentaries.0.mood"),
        (text, "commentaries.0.texts.en.title"),
        (week, "week"),
        (none, "commentaries"),
        (rubric, "commentaries.0.rubric"),
        (a_document(languages=["en", "de"]), "commentaries.0.texts.de"),
    ]


def test_a_wrong_document_is_refused_by_its_place(operators: TestClient) -> None:
    for document, field in wrong_documents():
        answer = operators.put(URL, json=document)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field
        assert "seldomseen" not in answer.text
    assert operators.get("/v1/issues").json() == []
    assert audit(operators) == []
