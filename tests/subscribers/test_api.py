"""The website's calls: the same answer for every address, whatever is known about it."""

import re
import threading
from collections import Counter
from types import FrameType
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, func, select

from app.addresses.keyring import Keyring
from app.database import Database
from app.subscribers.models import PENDING, SignUp
from tests.support.builders import a_subscriber
from tests.support.clock import SetClock


def waiting(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(SignUp)) or 0


def sign_up(readers: TestClient, **fields: Any) -> Any:
    wish = {"email": "ann@example.org", "segments": ["en"], **fields}
    return readers.post("/v1/subscriptions", json=wish)


def test_known_and_unknown_get_the_same_answer(
    database: Database, keyring: Keyring, readers: TestClient
) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, "known@example.org")
        a_subscriber(session, keyring, "asked@example.org", state=PENDING)
    answers = [
        sign_up(readers, email=f"{name}@example.org") for name in ("known", "asked", "new", "new")
    ]
    assert {answer.status_code for answer in answers} == {202}
    assert {answer.text for answer in answers} == {'{"status":"accepted"}'}
    assert len({str(sorted(answer.headers.items())) for answer in answers}) == 1
    assert waiting(database) == 4
    for name in ("known", "new"):
        body = {"email": f"{name}@example.org"}
        assert readers.post("/v1/manage-links", json=body).json() == {"status": "accepted"}


def work_of(readers: TestClient, email: str) -> Counter[str]:
    """Count what a sign-up makes the public process do: functions of ours, statements of SQL."""
    done: Counter[str] = Counter()

    def note_call(frame: FrameType, what: str, _: object) -> None:
        if what == "call" and "/app/" in frame.f_code.co_filename:
            done[frame.f_code.co_qualname] += 1
        done.pop("Gathering._while_more_come", None)  # goes on by the clock

    def note_statement(*facts: Any) -> None:
        done[facts[2]] += 1

    event.listen(Engine, "before_cursor_execute", note_statement)  # whichever role asks
    threading.setprofile(note_call)  # a client's call runs in threads of its own
    try:
        assert sign_up(readers, email=email).status_code == 202
    finally:
        threading.setprofile(None)
        event.remove(Engine, "before_cursor_execute", note_statement)
    return done


def test_known_and_unknown_make_the_same_work(
    database: Database, keyring: Keyring, readers: TestClient
) -> None:
    """So they take the same time: no call and no statement depends on what is known."""
    with database.transaction() as session:
        a_subscriber(session, keyring, "known@example.org")
        a_subscriber(session, keyring, "asked@example.org", state=PENDING)
    sign_up(readers, email="first@example.org")  # what is prepared once
    known, asked, new = (
        work_of(readers, f"{name}@example.org") for name in ("known", "asked", "newer")
    )
    assert known == asked == new
    assert known["seal"] == 2
    assert sum("INSERT INTO sign_ups" in each for each in known) == 1
    assert not any("FROM subscribers" in each for each in known)


def test_a_form_is_led_to_a_page_in_its_language(database: Database, readers: TestClient) -> None:
    form = {"email": "ann@example.org", "segments": "BE/RU", "language": "ru", "website": ""}
    answer = readers.post("/v1/subscriptions", data=form)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/accepted?language=ru"
    assert readers.get(answer.headers["location"]).headers["content-language"] == "ru"
    answer = readers.post("/v1/manage-links", data={"email": "ann@example.org", "language": "be"})
    assert answer.headers["location"] == "/manage-requested?language=be"
    assert waiting(database) == 2


def test_a_robot_is_answered_and_forgotten(database: Database, readers: TestClient) -> None:
    assert sign_up(readers, website="https://spam.example").status_code == 202
    assert waiting(database) == 0


def test_a10_a_form_returned_at_once_is_answered_and_forgotten(
    database: Database, readers: TestClient, clock: SetClock
) -> None:
    shown = readers.get("/form?language=en").text
    (since,) = re.findall(r'name="since" value="([^"]+)"', shown)
    clock.go_on(seconds=0.2)
    hasty = sign_up(readers, since=since)
    assert (hasty.status_code, hasty.json()) == (202, {"status": "accepted"})
    assert waiting(database) == 0
    clock.go_on(seconds=2)
    assert sign_up(readers, since=since).status_code == 202
    assert waiting(database) == 1
    assert sign_up(readers, since="x" * 20).status_code == 202
    assert waiting(database) == 2, "a stamp of before a change of keys loses nobody"


def test_wrong_addresses_name_the_field(database: Database, readers: TestClient) -> None:
    for email in (
        *("", "ann", "ann@", "@example.org", "ann@example", "ann@example.org\x00"),
        *("Ann <ann@example.org>", '"a b"@example.org', "ann@[127.0.0.1]", "анна@example.org"),
        *("a" * 65 + "@example.org", "ann@example.org\r\nBcc: b@example.org", "a" * 1001),
    ):
        for path in ("/v1/subscriptions", "/v1/manage-links"):
            body = {"email": email} | ({"segments": ["en"]} if "sub" in path else {})
            answer = readers.post(path, json=body)
            assert answer.status_code == 422, email
            assert answer.json()["errors"][0]["field"] == "email"
            assert len(email) < 4 or email not in answer.json()["detail"]
    assert waiting(database) == 0


def test_other_wrong_fields_are_named(database: Database, readers: TestClient) -> None:
    for fields, field in (
        ({"segments": []}, "segments"),
        ({"segments": ["en", "nobody"]}, "segments.1"),
        ({"segments": ["en"] * 21}, "segments"),
        ({"language": "de"}, "language"),
        ({"source": "a b"}, "source"),
        ({"source": "a\n"}, "source"),
        ({"unknown": 1}, "unknown"),
    ):
        answer = sign_up(readers, **fields)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field
    assert waiting(database) == 0
