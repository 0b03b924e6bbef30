"""Sign-ups that come together are in the inbox before anybody is told so."""

import asyncio

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.addresses.address import EmailAddress
from app.addresses.keyring import Keyring
from app.database import Database
from app.subscribers.inbox import Inbox
from app.subscribers.models import SignUp
from app.subscribers.sign_up import Row, sealed_manage_wish, sealed_wish
from tests.support.clock import MONDAY

ANN = EmailAddress.parse("ann@example.org")


def a_row(keyring: Keyring) -> Row:
    return sealed_wish(
        keyring, ANN, segments=["en"], language="en", consent="1", today=MONDAY.date()
    )


def waiting(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(SignUp)) or 0


async def taken(inbox: Inbox, rows: list[Row]) -> list[BaseException | None]:
    return await asyncio.gather(*map(inbox.take, rows), return_exceptions=True)


def test_what_came_together_is_there_together(database: Database, keyring: Keyring) -> None:
    rows = [a_row(keyring) for _ in range(20)]
    rows += [sealed_manage_wish(keyring, ANN, language="be", today=MONDAY.date())]
    assert asyncio.run(taken(Inbox(database), rows)) == [None] * 21
    assert waiting(database) == 21


def test_a_row_that_cannot_be_stored_fails_alone(database: Database, keyring: Keyring) -> None:
    rows = [a_row(keyring) for _ in range(5)]
    rows[3] |= {"id": rows[1]["id"]}
    outcomes = asyncio.run(taken(Inbox(database), rows))
    assert isinstance(outcomes[3], IntegrityError)
    assert outcomes[:3] + outcomes[4:] == [None] * 4
    assert waiting(database) == 4


@pytest.mark.parametrize("path", ["/v1/subscriptions", "/v1/manage-links"])
def test_a_full_inbox_says_when_to_come_again(
    database: Database, readers: TestClient, path: str
) -> None:
    readers.app.state.inbox = Inbox(database, room=0)  # type: ignore[attr-defined]  # ours
    wish = {"email": "ann@example.org"} | ({"segments": ["en"]} if "sub" in path else {})
    answer = readers.post(path, json=wish)
    assert answer.status_code == answer.json()["status"] == 503
    assert int(answer.headers["retry-after"]) > 0
    page = readers.post(path, data={**wish, "language": "be"})
    assert page.status_code == 503
    assert int(page.headers["retry-after"]) > 0
    assert "праз хвіліну" in page.text
    assert waiting(database) == 0
