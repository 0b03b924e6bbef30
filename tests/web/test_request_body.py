"""What a client sends, JSON or a form, ends in the same model or is refused."""

from collections.abc import Mapping
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from app.database import Database
from app.subscribers.models import SignUp

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def segments(database: Database) -> list[str]:
    with database.reading() as session:
        return sorted(session.scalars(select(SignUp.segments)))


def send(readers: TestClient, **request: Any) -> int:
    return readers.post("/v1/subscriptions", **request).status_code


def test_json_and_forms_say_the_same(database: Database, readers: TestClient) -> None:
    fields: Mapping[str, Any] = {"email": "ann@example.org", "segments": ["en", "BE/RU"]}
    assert send(readers, json=fields) == 202
    assert send(readers, data=fields) == 303
    multipart = [("email", (None, "ann@example.org")), ("segments", (None, "en"))]
    assert send(readers, files=[*multipart, ("segments", (None, "be-ru"))]) == 303
    assert segments(database) == ["en be-ru"] * 3


def test_a_form_is_refused_as_a_page(database: Database, readers: TestClient) -> None:
    for body in (
        b"email=ann@example.org&email=bob@example.org&segments=en",
        b"email=ann@example.org&segments=en&unknown=1",
        b"email=ann@example.org&segments=en&somebody@example.org=1",
        b"email=ann%00@example.org&segments=en",
        b"email=%ff%fe&segments=en",
        b"e%ffmail=ann@example.org&segments=en",
        b"segments=en",
        b"",
        b"email=ann@example.org",
    ):
        answer = readers.post("/v1/subscriptions", content=body, headers=FORM)
        assert answer.status_code == 422, body
        assert answer.headers["content-type"].startswith("text/html")
        assert "ann@" not in answer.text
        assert "somebody" not in answer.text
    assert segments(database) == []


def test_a_file_is_no_field(database: Database, readers: TestClient) -> None:
    files = {"email": ("a.txt", b"ann@example.org"), "segments": (None, "en")}
    assert 400 <= send(readers, files=files) < 500
    assert segments(database) == []


def test_a_broken_multipart_is_refused(readers: TestClient) -> None:
    for boundary in ("", "; boundary=x"):
        headers = {"Content-Type": f"multipart/form-data{boundary}"}
        answer = readers.post("/v1/subscriptions", content=b"--y\r\n\r\n", headers=headers)
        assert 400 <= answer.status_code < 500


def test_other_media_are_refused(readers: TestClient) -> None:
    for media in ("text/plain", "application/xml", "application/jsonp"):
        body = b'{"email": "ann@example.org", "segments": ["en"]}'
        answer = readers.post("/v1/subscriptions", content=body, headers={"Content-Type": media})
        assert answer.status_code == 415
        assert answer.headers["accept"].startswith("application/json, "), "which media are taken"


def test_too_many_fields_are_refused(readers: TestClient) -> None:
    body = "&".join(f"a{number}=1" for number in range(60)).encode()
    assert 400 <= send(readers, content=body, headers=FORM) < 500
