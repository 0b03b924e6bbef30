"""Suppressing an address by its index, taking that back, and forgetting what has ended.

Adding needs no look at the table, so whoever adds need not be able to read it.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.engine import CursorResult

from app.database import Transaction
from app.dialects import insert_if_absent, insert_ignore
from app.instance.events import lifted, suppressed, tell_witnesses
from app.suppressions.models import Suppression


def suppress(
    session: Transaction, indexes: Iterable[bytes], reason: str, *, until: date | None
) -> None:
    """Never write to these again, for this reason, through the day `until` (None: for ever).

    What is suppressed already for the same reason stays as it is.
    """
    rows: list[dict[str, Any]]
    rows = [{"blind_index": each, "reason": reason, "until": until} for each in indexes]
    insert_ignore(session, Suppression, rows)
    tell_witnesses(session, (suppressed(row["blind_index"], reason, until) for row in rows))


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
    known = list(indexes)
    tell_witnesses(session, map(lifted, known))
    gone = delete(Suppression).where(Suppression.blind_index.in_(known))
    result: CursorResult[Any] = session.execute(gone)  # type: ignore[assignment]
    return bool(result.rowcount)


def lift_reason(session: Transaction, indexes: Iterable[bytes], reason: str) -> None:
    """Forget that an address (all its indexes) is suppressed for this one reason."""
    known = list(indexes)
    tell_witnesses(session, (lifted(index, reason) for index in known))
    session.execute(
        delete(Suppression).where(Suppression.blind_index.in_(known), Suppression.reason == reason)
    )


def forget_ended(session: Transaction, *, today: date) -> int:
    """Delete the suppressions whose last day is over; return how many."""
    gone = delete(Suppression).where(Suppression.until < today)
    result: CursorResult[Any] = session.execute(gone)  # type: ignore[assignment]
    return result.rowcount


def restore_suppression(
    session: Transaction, index: bytes, reason: str, *, until: date | None
) -> int:
    """Put back a suppression that the database had forgotten; return 1 if it had."""
    row = {"blind_index": index, "reason": reason, "until": until}
    new = insert_if_absent(session, Suppression, [row])
    prolong(session, index, reason, until=until)
    return new
