"""A sign-up is sealed and dropped into the inbox; the process that took it forgets it.

Whoever takes it cannot tell whether the address is known, so the answer is the same for everyone.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, NotRequired, TypedDict, Unpack, cast

from sqlalchemy import Table, insert

from app.addresses.address import EmailAddress
from app.addresses.public_keys import PublicKeys
from app.addresses.sealing import seal
from app.database import Transaction
from app.subscribers.models import SignUp
from app.tokens import new_id

SUBSCRIBE = "subscribe"
MANAGE = "manage"

_TABLE = cast("Table", SignUp.__table__)  # without the ORM: a row is written, and never an object

Row = dict[str, Any]
"""A row of the inbox, already sealed: it holds no address that this process could read."""


class Asked(TypedDict):
    """What a sign-up asks for, besides its address."""

    segments: Sequence[str]
    language: str
    consent: str
    today: date
    source: NotRequired[str | None]


def sealed_wish(keys: PublicKeys, address: EmailAddress, **asked: Unpack[Asked]) -> Row:
    """Make the row of a sign-up, sealed twice: to admit it, and to keep it."""
    row_id = new_id()
    return {
        "id": row_id,
        "wish": SUBSCRIBE,
        "hot": seal(keys.hot_sealing, row_id, address),
        "sealed": seal(keys.list_sealing, row_id, address),
        "segments": " ".join(asked["segments"]),
        "language": asked["language"],
        "source": asked.get("source"),
        "consent": asked["consent"],
        "day": asked["today"],
    }


def sealed_manage_wish(
    keys: PublicKeys, address: EmailAddress, *, language: str, today: date
) -> Row:
    """Make the row that asks for a manage link."""
    row_id = new_id()
    return {
        "id": row_id,
        "wish": MANAGE,
        "hot": seal(keys.hot_sealing, row_id, address),
        "sealed": None,
        "segments": "",
        "language": language,
        "source": None,
        "consent": "",
        "day": today,
    }


def drop(
    session: Transaction, keys: PublicKeys, address: EmailAddress, **asked: Unpack[Asked]
) -> None:
    """Leave one sign-up in the inbox."""
    put(session, [sealed_wish(keys, address, **asked)])


def drop_manage_wish(
    session: Transaction, keys: PublicKeys, address: EmailAddress, *, language: str, today: date
) -> None:
    """Leave one request for a manage link in the inbox."""
    put(session, [sealed_manage_wish(keys, address, language=language, today=today)])


def put(session: Transaction, rows: Sequence[Row]) -> None:
    """Leave sealed rows in the inbox, for the sender to take out."""
    session.execute(insert(_TABLE), list(rows))
