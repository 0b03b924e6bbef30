"""Counts that operators and monitors may see: rounded, and the same for everybody for an hour.

One act of one person must not show: what is shown is a multiple of five, nothing below twenty, and
is written once an hour by a sender, at the first moment of the hour (UTC) at which one runs.
Nobody's question, no restart and no clock that goes back makes it anew.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_if_absent
from app.operators.models import PublishedCounts

LEAST = 20
STEP = 5
_ONLY = 1  # the row's number: there is one


def rounded(count: int) -> int:
    """Return the nearest multiple of five; 0 for anything below twenty."""
    return 0 if count < LEAST else (count + STEP // 2) // STEP * STEP


def publish(session: Transaction, count: Callable[[], Mapping[str, Any]], *, now: datetime) -> bool:
    """Write this hour's counts, unless they are written; tell whether they were.

    `count` is called only then. Its numbers are rounded here, wherever they stand.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    insert_if_absent(session, PublishedCounts, [{"id": _ONLY, "hour": None, "content": "{}"}])
    row = session.scalars(select(PublishedCounts).with_for_update()).one()
    if row.hour is not None and row.hour >= hour:
        return False
    row.hour, row.content = hour, json.dumps(_all_rounded(count()))
    session.flush()
    return True


def is_due(session: Session, *, now: datetime) -> bool:
    """Tell whether this hour's counts are missing; locks nothing."""
    hour = session.scalar(select(PublishedCounts.hour))
    return hour is None or hour < now.replace(minute=0, second=0, microsecond=0)


def published(session: Session) -> dict[str, Any]:
    """Return the last counts that were written; empty before the first."""
    content = session.scalar(select(PublishedCounts.content))
    found: dict[str, Any] = json.loads(content or "{}")
    return found


def _all_rounded(counted: Any) -> Any:
    if isinstance(counted, Mapping):
        return {str(key): _all_rounded(value) for key, value in counted.items()}
    return rounded(counted)
