"""How often allowances refused, by day and reason: what shows an attack. Counts, and nobody."""

from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_or_add
from app.rate_limits.models import RateLimitRefusal

CLIENT = "client"
EVERYONE = "everyone"
ADDRESS = "address"
REASONS = {
    CLIENT: "requests refused because one network sent too many",
    EVERYONE: "requests refused because all networks together sent too many",
    ADDRESS: "messages withheld because one address was to get too many",
}

KEPT = timedelta(days=90)


def count_refused(session: Transaction, reason: str, *, today: date, times: int = 1) -> None:
    """Count refusals."""
    row = {"day": today, "reason": reason, "count": times}
    insert_or_add(session, RateLimitRefusal, row, key=("day", "reason"), add="count")


def refused_since(session: Session, first: date) -> Mapping[str, int]:
    """Return how many there were from the day `first` on, by reason; every reason is named."""
    counts = dict.fromkeys(REASONS, 0)
    for row in session.scalars(select(RateLimitRefusal).where(RateLimitRefusal.day >= first)):
        counts[row.reason] = counts.get(row.reason, 0) + row.count
    return counts


def forget_refused(session: Transaction, *, today: date) -> None:
    """Delete counts that are older than 90 days."""
    session.execute(delete(RateLimitRefusal).where(RateLimitRefusal.day < today - KEPT))
