"""Telling the witnesses: a line in the database, in the transaction in which it becomes true."""

from collections.abc import Iterable
from datetime import date

from app.database import Transaction
from app.dialects import insert_ignore
from app.instance.models import WitnessEvent
from app.tokens import new_id

WHOLE = "*"
"""In the place of a segment: the subscriber's whole row."""


def tell_witnesses(session: Transaction, lines: Iterable[str]) -> None:
    """Leave lines for every sender's witness file; needs no right to read them."""
    rows = [{"id": new_id(), "position": None, "line": line} for line in lines]
    insert_ignore(session, WitnessEvent, rows)


def ended(subscriber_id: bytes, segment: str, day: date) -> str:
    """Say that a subscription ended, or the whole row."""
    return f"ended {subscriber_id.hex()} {segment} {day}"


def confirmed(subscriber_id: bytes, segment: str) -> str:
    """Say that a subscription was confirmed: an end that was noted before holds no longer."""
    return f"confirmed {subscriber_id.hex()} {segment}"


def suppressed(index: bytes, reason: str, until: date | None) -> str:
    """Say that an address is suppressed, by its keyed index."""
    return f"suppressed {index.hex()} {reason.replace(' ', '_')} {until or '-'}"


def lifted(index: bytes, reason: str | None = None) -> str:
    """Say that an address is suppressed no longer, for this reason or for all."""
    return f"lifted {index.hex()}" + (f" {reason.replace(' ', '_')}" if reason else "")


def launched_again(week: str, segment: str) -> str:
    """Say that an operator sends an issue again, knowing who has it already."""
    return f"again {week} {segment}"
