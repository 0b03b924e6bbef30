"""Taking one of what is allowed: one statement, so that no two processes take the same last one.

Only at the border of two slots may what is under way at that instant go uncounted by the other.
"""

import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Integer, LargeBinary, delete, func, literal, select
from sqlalchemy.orm import Session

from app.database import Transaction, UtcDateTime
from app.dialects import insert_or_increment
from app.rate_limits.models import RateLimitCount
from app.rate_limits.sliding_window import forgotten_at, open_slots, wait
from app.settings import Rate


def take(
    session: Transaction, key: bytes, whom: bytes, rates: Iterable[Rate], *, now: datetime
) -> timedelta:
    """Take one for `whom` under every rate; return zero, or how long to wait if one refuses.

    `key` is secret and serves one purpose. A refusal leaves what earlier rates gave taken.
    """
    for rate in rates:
        tags = [_tag(key, whom, rate, slot) for slot in open_slots(rate, now)]
        if not _take(session, tags, rate, now):
            return wait(rate, _counts(session, tags), now) or timedelta(seconds=1)
    return timedelta(0)


def _take(session: Transaction, tags: list[bytes], rate: Rate, now: datetime) -> bool:
    *earlier, current = tags
    until = forgotten_at(rate, open_slots(rate, now)[-1])
    spent = _spent(earlier)
    row = select(
        literal(current, LargeBinary), literal(until, UtcDateTime), literal(1, Integer)
    ).where(spent < rate.times)
    return insert_or_increment(
        session, RateLimitCount, row, add="count", where=RateLimitCount.count + spent < rate.times
    )


def _spent(tags: list[bytes]) -> ColumnElement[int]:
    # Of its own name: inside the statement `rate_limit_counts` is the row that is being counted up.
    then = RateLimitCount.__table__.alias("earlier")
    total = func.coalesce(func.sum(then.c.count), 0)
    return select(total).where(then.c.tag.in_(tags)).scalar_subquery()


def _counts(session: Session, tags: list[bytes]) -> list[int]:
    query = select(RateLimitCount.tag, RateLimitCount.count).where(RateLimitCount.tag.in_(tags))
    found = {tag: count for tag, count in session.execute(query)}  # noqa: C416 - a Row is no pair
    return [found.get(tag, 0) for tag in tags]


def _tag(key: bytes, whom: bytes, rate: Rate, slot: int) -> bytes:
    """The slot is hashed too: no two rows of one person look alike, and none is ever reused."""
    about = b"vestka/allowance/v1|%d|%d|" % (rate.window.total_seconds(), slot)
    return hmac.digest(key, about + whom, "sha256")[:16]


def forget_taken(session: Transaction, *, now: datetime) -> None:
    """Delete what counts no more."""
    session.execute(delete(RateLimitCount).where(RateLimitCount.until <= now))
