"""Photos on the readers' port: from the launch on, the same for all, for ever."""

from fastapi.testclient import TestClient

from app.database import Database
from app.issues.approval import approve
from app.issues.content import IssueContent
from app.issues.decoding import decode
from app.issues.drafting import store
from app.issues.photos import keep
from app.mailings.launch import launch
from tests.support.builders import NEWSLETTER, WEEK, a_document
from tests.support.clock import MONDAY
from tests.support.photos import a_photo


def an_approved_photo(database: Database) -> str:
    with database.transaction() as session:
        photo_id = keep(session, decode(a_photo()), today=MONDAY.date())[0].id
        document = a_document()
        alt = dict.fromkeys(("en", "be", "ru"), "A street")
        document["commentaries"][0]["photo"] = {"credit": "C", "id": photo_id, "alt": alt}
        store(session, NEWSLETTER, WEEK, IssueContent.model_validate(document), now=MONDAY)
        approve(session, NEWSLETTER, WEEK, None, by="editor", now=MONDAY)
    return photo_id


def test_a_photo_is_there_once_its_issue_was_launched(
    database: Database, readers: TestClient
) -> None:
    photo_id = an_approved_photo(database)
    assert readers.get(f"/photos/{photo_id}.jpg").status_code == 404
    with database.transaction() as session:
        launch(session, WEEK, NEWSLETTER.segment("en"), by="editor", now=MONDAY)
    shown = readers.get(f"/photos/{photo_id}.jpg")
    assert shown.status_code == 200
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "set-cookie" not in shown.headers
    assert shown.content.startswith(b"\xff\xd8\xff")


def test_no_other_name_is_there(database: Database, readers: TestClient) -> None:
    photo_id = an_approved_photo(database)
    with database.transaction() as session:
        launch(session, WEEK, NEWSLETTER.segment("en"), by="editor", now=MONDAY)
    for name in (photo_id, f"{photo_id}.png", f"{photo_id}.jpg.x", f"{photo_id[:-1]}.jpg", "%00"):
        assert readers.get(f"/photos/{name}").status_code == 404
