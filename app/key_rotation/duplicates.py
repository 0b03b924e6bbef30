"""Two rows of one address, made when two senders admitted it at once with keys of two generations.

The index of each differed, so nothing kept them apart; sealing anew finds them, and one is left.
"""

from datetime import date

from sqlalchemy import delete, select, update

from app.database import Transaction
from app.instance.events import confirmed, tell_witnesses
from app.subscribers.deletion_log import remember
from app.subscribers.models import CONFIRMED, Subscriber, Subscription


def join_duplicate(session: Transaction, row_id: bytes, index: bytes, *, today: date) -> bool:
    """Give what another row of this index holds to the row `row_id`; return whether one was."""
    other = session.scalar(
        select(Subscriber.id).where(Subscriber.blind_index == index, Subscriber.id != row_id)
    )
    if other is None:
        return False
    both = select(Subscriber.id).where(Subscriber.id.in_((row_id, other)))
    session.execute(both.order_by(Subscriber.id).with_for_update())
    ours = _held(session, row_id)
    for segment, theirs in _held(session, other).items():
        if segment not in ours:
            _give(session, theirs, row_id)
        elif theirs.state == CONFIRMED and ours[segment].state != CONFIRMED:
            ours[segment].state = CONFIRMED
            ours[segment].confirmed_day = theirs.confirmed_day
    session.flush()
    session.execute(delete(Subscriber).where(Subscriber.id == other))
    remember(session, other, today=today)
    return True


def _held(session: Transaction, subscriber_id: bytes) -> dict[str, Subscription]:
    query = select(Subscription).where(Subscription.subscriber_id == subscriber_id)
    return {each.segment: each for each in session.scalars(query)}


def _give(session: Transaction, subscription: Subscription, row_id: bytes) -> None:
    session.execute(
        update(Subscription)
        .where(
            Subscription.subscriber_id == subscription.subscriber_id,
            Subscription.segment == subscription.segment,
        )
        .values(subscriber_id=row_id)
        .execution_options(synchronize_session=False)
    )
    tell_witnesses(session, [confirmed(row_id, subscription.segment)])
