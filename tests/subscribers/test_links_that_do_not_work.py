"""Unknown, expired, used up and foreign links: one answer, byte for byte, for the same work."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import event, select

from app.addresses.keyring import Keyring
from app.database import Database
from app.subscribers.models import ServiceMessage
from app.subscribers.service_message_kinds import CONFIRMATION, MANAGE_LINK
from app.subscribers.service_messages import ask_to_confirm, send_manage_link
from app.subscribers.service_messages import token_of as token_from
from tests.support.builders import WEEK, a_subscriber, everything, served
from tests.support.clock import MONDAY, SetClock

MALFORMED = ["x", "A" * 42, "A" * 44, "A" * 5_000, "А" * 43, "%00" * 43, "A%20B"]
KINDS = ["confirm", "manage", "unsubscribe", "never"]


@pytest.fixture
def tokens(database: Database, keyring: Keyring) -> dict[str, str]:
    """One reader's links, one of each kind."""
    with database.transaction() as session:
        reader = a_subscriber(session, keyring, segments=("en",))
        ask_to_confirm(session, keyring, reader.id, ["be-ru"], "be", MONDAY.date())
        send_manage_link(session, keyring, reader.id, "be", MONDAY)
        session.flush()
        nonces = {each.kind: each.nonce for each in session.scalars(select(ServiceMessage))}
        return {
            "confirm": token_from(keyring, CONFIRMATION, nonces[CONFIRMATION]),
            "manage": token_from(keyring, MANAGE_LINK, nonces[MANAGE_LINK]),
            "unsubscribe": keyring.links.unsubscribe(reader.link_id, WEEK.number, "en", 2),
            "never": keyring.links.never(reader.link_id, bytes(16), reader.blind_index),
        }


@contextmanager
def work(database: Database) -> Iterator[list[str]]:
    """Note every statement that reaches the database."""
    done: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        done.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield done
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def answers(readers: TestClient, path: str) -> list[tuple[int, dict[str, str], bytes]]:
    """Everything that can be seen of looking and acting."""
    body = {"action": "erase", "sure": "1", "List-Unsubscribe": "One-Click"}
    seen: list[Response] = [readers.get(path), readers.head(path), readers.post(path, data=body)]
    return [(each.status_code, dict(each.headers), each.content) for each in seen]


def unknown(kind: str) -> str:
    return f"/{kind}/" + "A" * {"unsubscribe": 40, "never": 82}.get(kind, 43)


@pytest.mark.parametrize("kind", KINDS)
def test_malformed_and_unknown_look_alike(readers: TestClient, kind: str) -> None:
    expected = answers(readers, unknown(kind))
    assert [status for status, _, _ in expected] == [404, 404, 404]
    assert b"<h1>This link does not work</h1>" in expected[0][2]
    assert expected[0][1]["cache-control"] == "no-store"
    for token in MALFORMED:
        assert answers(readers, f"/{kind}/{token}") == expected, token


def test_foreign_links_look_alike_and_change_nothing(
    database: Database, readers: TestClient, tokens: dict[str, str]
) -> None:
    before = everything(database)
    for kind in KINDS:
        expected = answers(readers, unknown(kind))
        for own, token in tokens.items():
            if own != kind:
                assert answers(readers, f"/{kind}/{token}") == expected, (kind, own)
    assert everything(database) == before


@pytest.mark.parametrize(("kind", "life"), [("confirm", 72 * 60), ("manage", 30)])
def test_expired_links_look_alike_and_cost_the_same(
    database: Database,
    readers: TestClient,
    tokens: dict[str, str],
    clock: SetClock,
    kind: str,
    life: int,
) -> None:
    assert readers.get(f"/{kind}/{tokens[kind]}").status_code == 200
    clock.go_on(minutes=life)
    foreign = tokens["manage" if kind == "confirm" else "confirm"]
    seen, done = [], []
    for token in ("A" * 43, tokens[kind], foreign):
        with work(served(readers)) as statements:
            seen.append(answers(readers, f"/{kind}/{token}"))
        done.append(statements)
    assert seen[0] == seen[1] == seen[2]
    assert done[0] == done[1] == done[2]
    assert done[0], "the same work, but some"


def test_whoever_has_left_cannot_be_told_from_whoever_has_not(
    database: Database, readers: TestClient, tokens: dict[str, str]
) -> None:
    """The page behind a forwarded message: same words, same language, no look into the database."""
    path = f"/unsubscribe/{tokens['unsubscribe']}"
    with work(served(readers)) as statements:
        before = readers.get(path)
    assert statements == []
    assert before.headers["content-language"] == "be"
    first = readers.post(path)
    again = readers.post(path)
    for here, there in ((first, again), (before, readers.get(path))):
        assert (here.status_code, here.content, here.headers) == (
            there.status_code,
            there.content,
            there.headers,
        )
