"""Flawed rows are set apart: counted by kind and flaw, told to the operators, never written to.

A subscriber's row stays where it is, unused; a sign-up is thrown away. Only counts leave here.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_if_absent
from app.operators.alerts import alert
from app.subscribers.models import Quarantined
from app.subscribers.row_integrity import Flaw

SIGN_UP = "sign-up"
SUBSCRIBER = "subscriber"
# A subscriber's row is counted as long as it is there; of a sign-up this is all there is.
KEPT = timedelta(days=30)
_SAYS = {
    SIGN_UP: "Sign-ups in the inbox were damaged or planted; they were thrown away",
    SUBSCRIBER: "Rows of subscribers were changed, planted or put back; no message goes to them",
}


def set_apart(
    session: Transaction, kind: str, found: Mapping[bytes, Flaw], *, now: datetime
) -> None:
    """Write down flawed rows by id, and tell the operators once a day for each kind and flaw."""
    rows = [
        {"id": row_id[:64], "kind": kind, "flaw": str(flaw), "day": now.date()}
        for row_id, flaw in sorted(found.items())
    ]
    insert_if_absent(session, Quarantined, rows)
    for flaw in sorted(set(found.values())):
        key = f"{kind}-{flaw}-{now.date()}".replace(" ", "-")
        alert(session, key, f"{_SAYS[kind]} ({flaw}).", now=now)


def clear(session: Transaction, row_ids: Iterable[bytes]) -> None:
    """Take rows out again that are whole, or not there any more."""
    session.execute(
        delete(Quarantined).where(Quarantined.kind == SUBSCRIBER, Quarantined.id.in_(list(row_ids)))
    )


def forget(session: Transaction, *, now: datetime) -> None:
    """Forget sign-ups that were thrown away long ago."""
    oldest = now.date() - KEPT
    session.execute(
        delete(Quarantined).where(Quarantined.kind == SIGN_UP, Quarantined.day < oldest)
    )


def counts(session: Session) -> dict[tuple[str, str], int]:
    """Return how many rows are set apart, by kind and flaw."""
    query = select(Quarantined.kind, Quarantined.flaw, func.count()).group_by(
        Quarantined.kind, Quarantined.flaw
    )
    return {(row[0], row[1]): row[2] for row in session.execute(query)}
