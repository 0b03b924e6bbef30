"""Farewells: who left, or was ended by what came back, and whose index is to be kept.

Whoever ends a reader may hold no key that makes the index. So the reader's subscriptions go at
once, and their sealed row waits, half a second as a rule, for the sender, who opens it, keeps the
index, and deletes it.
"""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import select

from app.addresses.address import EmailAddress
from app.addresses.blind_index import never_index
from app.addresses.keyring import Keyring
from app.database import Transaction
from app.subscribers.models import PendingRemoval, Subscriber, Subscription
from app.subscribers.row_integrity import open_selected, rows
from app.subscribers.unsubscription import end, end_and_suppress
from app.suppressions.reasons import LEFT, REASONS
from app.suppressions.suppressing import prolong, suppress

SUPPRESSED = "suppressed"
"""Somebody suppressed already, who was found among the readers: there is nothing to keep."""


def end_suppressed(session: Transaction, link_ids: Iterable[bytes], *, today: date) -> None:
    """End readers who turn out to be suppressed already."""
    query = select(Subscriber.id).where(Subscriber.link_id.in_(list(link_ids)))
    for subscriber_id in session.scalars(query.with_for_update()).all():
        end_and_suppress(session, subscriber_id, SUPPRESSED, until=None, today=today)


def process(session: Transaction, keyring: Keyring, *, today: date, limit: int = 200) -> int:
    """Keep the indexes of those who left, and delete them; return how many.

    Who only left, and asked to come back in the meantime, stays: that was their own act.
    """
    # The subscriber is locked first, as by everybody else who ends one: or two would wait in a
    # circle.
    query = (
        select(PendingRemoval)
        .join(Subscriber, Subscriber.id == PendingRemoval.subscriber_id)
        .limit(limit)
        .with_for_update(of=(Subscriber, PendingRemoval), skip_locked=True)
    )
    waiting = session.scalars(query).all()
    for farewell in waiting:
        if farewell.reason in REASONS:
            _keep(session, keyring, farewell)
        _delete(session, farewell, today)
    return len(waiting)


def _keep(session: Transaction, keyring: Keyring, farewell: PendingRemoval) -> None:
    reader = session.execute(rows().where(Subscriber.id == farewell.subscriber_id)).one()
    address = open_selected(keyring, reader)
    if isinstance(address, EmailAddress):  # else it could not have been written to either
        index = never_index(keyring.never, address)
        suppress(session, (index,), farewell.reason, until=farewell.until)
        prolong(session, index, farewell.reason, until=farewell.until)


def _delete(session: Transaction, farewell: PendingRemoval, today: date) -> None:
    reader_id, reason = farewell.subscriber_id, farewell.reason
    session.delete(farewell)
    session.flush()
    held = select(Subscription.segment).where(Subscription.subscriber_id == reader_id)
    if reason != LEFT or session.scalar(held.limit(1)) is None:
        end(session, reader_id, None, reason, today=today)
