"""What was never confirmed is deleted: a request lives as long as its link, 72 hours at most."""

from datetime import date, datetime, timedelta

from sqlalchemy import delete, select

from app.database import Transaction
from app.subscribers.models import PENDING, SignUp, SpentProof, Subscriber, Subscription
from app.subscribers.service_messages import CONFIRMATION_DAYS, forget_expired
from app.subscribers.unsubscription import EXPIRED, end


def expire(session: Transaction, *, now: datetime) -> int:
    """Delete what is over: unconfirmed requests, sign-ups nobody admitted, proofs of work."""
    oldest = now.date() - timedelta(days=CONFIRMATION_DAYS)
    forget_expired(session, now)
    session.execute(delete(SpentProof).where(SpentProof.until < now.date()))
    session.execute(delete(SignUp).where(SignUp.day <= oldest))
    stale = _stale(session, oldest)
    for subscriber_id, segment in stale:
        end(session, subscriber_id, (segment,), EXPIRED, today=now.date())
    return len(stale)


def _stale(session: Transaction, oldest: date) -> list[tuple[bytes, str]]:
    query = (
        select(Subscription.subscriber_id, Subscription.segment)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Subscription.state == PENDING, Subscription.requested_day <= oldest)
        .order_by(Subscription.segment)  # as they are counted: or two would wait in a circle
        .limit(1000)
        # Whom somebody else changes or ends at this moment is left for the next time.
        .with_for_update(of=(Subscriber, Subscription), skip_locked=True)
    )
    return [(row.subscriber_id, row.segment) for row in session.execute(query)]
