"""Cancelling a mailing, and resuming it: its deliveries follow, and nobody gets a second copy.

Whoever was excluded by the cancelling alone is pending again after a resume, as long as the
mailing's life lasts; until then the ledger keeps their ids. Everybody else stays as they are.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.engine import CursorResult

from app.database import Transaction
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.reasons import CANCELLED_BY_OPERATOR, OURS
from app.deliveries.ledger.states import DEFERRED, EXCLUDED, OPEN, PENDING
from app.errors import DomainError
from app.mailings.control import cancel, resume
from app.mailings.launch import find_mailing
from app.mailings.models import Mailing
from app.mailings.states import CANCELLED


class NobodyLeft(DomainError):
    """Nobody is left who could still get this cancelled mailing."""

    def __init__(self, mailing: Mailing) -> None:
        """Say so of this mailing."""
        super().__init__(
            f"Mailing {mailing.id} stays cancelled: nobody is left who has nothing yet and could"
            " still get it. Either all have it, or the time is over in which it may be sent"
            " (VESTKA_RETRY_FOR). What the archive shows can be corrected (`vestka issue"
            f" correct {mailing.week}`)."
        )


def cancel_mailing(session: Transaction, mailing_id: int, *, now: datetime) -> Mailing:
    """Cancel it and exclude whoever has nothing yet. Raises what `cancel` raises."""
    mailing = cancel(session, mailing_id, now=now)
    session.flush()
    exclude_rest(session, mailing_id, CANCELLED_BY_OPERATOR)
    return mailing


def resume_mailing(
    session: Transaction, mailing_id: int, *, life: timedelta, now: datetime
) -> Mailing:
    """Let a paused or cancelled mailing go on. Raises what `resume` raises, or NobodyLeft.

    `life` is how long a mailing goes on trying.
    """
    mailing = find_mailing(session, mailing_id, lock=True)
    if mailing.state == CANCELLED and not _has_somebody(session, mailing, life, now):
        raise NobodyLeft(mailing)
    resume(session, mailing_id)
    session.flush()
    take_up_rest(session, mailing_id, now=now)
    _hasten(session, mailing_id, now)
    return mailing


def _hasten(session: Transaction, mailing_id: int, now: datetime) -> None:
    """Make due what waits because the relay refused it for our own fault: it was put right."""
    session.execute(
        update(Delivery)
        .where(
            Delivery.mailing_id == mailing_id,
            Delivery.state.in_((PENDING, DEFERRED)),
            Delivery.reason.in_(OURS),
            Delivery.due_at > now,
        )
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )


def _has_somebody(session: Transaction, mailing: Mailing, life: timedelta, now: datetime) -> bool:
    if mailing.audience is None:
        return mailing.launched_at + timedelta(seconds=mailing.over or 0) + life > now
    waiting = select(func.count()).where(
        Delivery.mailing_id == mailing.id, Delivery.state.in_(OPEN)
    )
    excluded = select(func.count()).where(*excluded_by_cancelling(mailing.id, now))
    return bool(session.scalar(waiting) or session.scalar(excluded))


def excluded_by_cancelling(mailing_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Say of deliveries that only the cancelling excluded them, and that they may still go."""
    return (
        Delivery.mailing_id == mailing_id,
        Delivery.state == EXCLUDED,
        Delivery.reason == CANCELLED_BY_OPERATOR,
        Delivery.subscriber_id.is_not(None),
        Delivery.expires_at > now,
    )


def exclude_rest(session: Transaction, mailing_id: int, reason: str) -> int:
    """Exclude whoever has not got a cancelled mailing's message; return how many.

    A message that a sender holds at this moment is excluded when it looks at it once more.
    """
    result: CursorResult[object] = session.execute(  # type: ignore[assignment]
        update(Delivery)
        .where(Delivery.mailing_id == mailing_id, Delivery.state.in_((PENDING, DEFERRED)))
        .values(state=EXCLUDED, reason=reason)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount


def take_up_rest(session: Transaction, mailing_id: int, *, now: datetime) -> int:
    """Put back into the queue whom only the cancelling excluded; return how many."""
    result: CursorResult[object] = session.execute(  # type: ignore[assignment]
        update(Delivery)
        .where(*excluded_by_cancelling(mailing_id, now))
        .values(state=PENDING, reason=None)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount
