"""Suppressing an address by its index, taking that back, and forgetting what has ended.

Adding needs no look at the table, so whoever adds need not be able to read it.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.engine import CursorResult

from app.database import Transaction
from app.dialects import insert_ignore
from app.suppressions.models import Suppression


def suppress(
    session: Transaction, indexes: Iterable[bytes], reason: str, *, until: date | None
) -> None:
    """Never write to these again, for this reason, through the day `until` (None: for ever).

    What is suppressed already for the same reason stays as it is.
    """
    rows = [{"blind_index": each, "reason": reason, "until": until} for each in indexes]
    insert_ignore(session, Suppression, rows)


def prolong(session: Transaction, index: bytes, reason: str, *, until: date | None) -> None:
    """Let what is suppressed for this reason hold through `until` at least (None: for ever)."""
    session.execute(
        update(Suppression)
        .where(
            Suppression.blind_index == index,
            Suppression.reason == reason,
            Suppression.until.is_not(None) if until is None else Suppression.until < until,
        )
        .values(until=until)
        .execution_options(synchronize_session=False)
    )


def lift(session: Transaction, indexes: Iterable[bytes]) -> bool:
    """Forget every suppression of an address (all its indexes); return whether there was one."""
    gone = delete(Suppression).where(Suppression.blind_index.in_(list(indexes)))
    result: CursorResult[Any] = session.execute(gone)  # type: ignore[assignment]
    return bool(result.rowcount)


def forget_ended(session: Transaction, *, today: date) -> int:
    """Delete the suppressions whose last day is over; return how many."""
    gone = delete(Suppression).where(Suppression.until < today)
    result: CursorResult[Any] = session.execute(gone)  # type: ignore[assignment]
    return result.rowcount
