"""A confirmed double opt-in lifts a complaint's suppression, and no other.

Who reported a message as spam and signs up again is asked to confirm, as anybody is. The sender
notes at the sign-up whose confirmation is to lift the suppression, because only it knows the
address then; the confirmation itself comes to a process that cannot read addresses.
"""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.addresses.address import EmailAddress
from app.addresses.blind_index import never_indexes
from app.addresses.keyring import Keyring
from app.database import Transaction
from app.dialects import insert_ignore
from app.subscribers.models import CONFIRMED, PendingLift, Subscriber, Subscription
from app.subscribers.row_integrity import open_selected, rows
from app.suppressions.reasons import COMPLAINT
from app.suppressions.suppressing import lift_reason


def lift_when_confirmed(session: Transaction, subscriber_id: bytes) -> None:
    """Let a confirmation of this reader lift their complaint's suppression."""
    insert_ignore(session, PendingLift, [{"subscriber_id": subscriber_id}])


def lift_confirmed(session: Transaction, keyring: Keyring, *, limit: int = 200) -> int:
    """Lift the suppression of those who have confirmed since; return how many."""
    confirmed = (
        select(Subscription.subscriber_id)
        .where(
            Subscription.subscriber_id == PendingLift.subscriber_id,
            Subscription.state == CONFIRMED,
        )
        .exists()
    )
    # The subscriber is locked first, as by everybody else who ends one.
    waiting = session.scalars(
        select(PendingLift)
        .join(Subscriber, Subscriber.id == PendingLift.subscriber_id)
        .where(confirmed)
        .limit(limit)
        .with_for_update(of=(Subscriber, PendingLift), skip_locked=True)
    ).all()
    for lift in waiting:
        reader = session.execute(rows().where(Subscriber.id == lift.subscriber_id)).one()
        address = open_selected(keyring, reader)
        if isinstance(address, EmailAddress):
            lift_reason(session, never_indexes(keyring.never, address), COMPLAINT)
        session.delete(lift)
    session.flush()
    return len(waiting)


def lifting(session: Session, subscriber_ids: Collection[bytes]) -> set[bytes]:
    """Return those of these readers whose complaint a confirmation lifts, or is about to."""
    query = select(PendingLift.subscriber_id).where(PendingLift.subscriber_id.in_(subscriber_ids))
    return set(session.scalars(query))
