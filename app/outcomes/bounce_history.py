"""The marks of readers whose messages came back: kept under a pseudonym, and not for long."""

from datetime import date, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.mailings.models import Mailing
from app.mailings.states import RECALLED
from app.outcomes.bounce_policy import CLEAN, BounceRecord
from app.outcomes.models import BounceMark, Returned
from app.subscribers.models import Subscription

KEPT = timedelta(days=90)


def standing_of(session: Session, reader: bytes) -> BounceRecord:
    """Return what is remembered of a reader (a pseudonym)."""
    mark = session.get(BounceMark, reader, with_for_update=True)
    if mark is None:
        return CLEAN
    return BounceRecord(mark.week, mark.run, mark.hard, mark.hard_week, mark.since)


def remember(session: Transaction, reader: bytes, standing: BounceRecord, *, today: date) -> None:
    """Write it down; who has a clean slate has no mark."""
    mark = session.get(BounceMark, reader)
    if standing == CLEAN:
        if mark is not None:
            session.delete(mark)
        return
    if mark is None:
        mark = BounceMark(reader=reader, since=standing.since or today)
        session.add(mark)
    mark.week, mark.run = standing.week, standing.run
    mark.hard, mark.hard_week = standing.hard, standing.hard_week
    mark.since, mark.day = standing.since or today, today
    session.flush()


def passed_between(session: Session, subscriber_id: bytes, after: int, before: int) -> bool:
    """Tell whether an issue between these two (numbers) went to one of the reader's segments.

    Nothing of it is marked, so it did not come back.
    """
    if not after or before <= after + 1:
        return False
    query = (
        select(Mailing.id)
        .join(Subscription, Subscription.segment == Mailing.segment)
        .where(
            Subscription.subscriber_id == subscriber_id,
            Mailing.week > _name(after),
            Mailing.week < _name(before),
            Mailing.state != RECALLED,
        )
    )
    return session.scalar(query.limit(1)) is not None


def _name(number: int) -> str:
    return f"{number // 100}-W{number % 100:02}"


def forget_marks(session: Transaction, *, today: date) -> None:
    """Delete marks, and who told of which message, when nothing more can come of them."""
    session.execute(delete(BounceMark).where(BounceMark.day < today - KEPT))
    session.execute(delete(Returned).where(Returned.day < today - KEPT))
