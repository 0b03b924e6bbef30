"""A sender's lease: while it is renewed, what the sender has claimed is its own.

One row per sender instead of one stamp per message, so that holding ten thousand claims costs as
little as holding one.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from app.database import Transaction
from app.deliveries.ledger.models import Delivery, Sender

LEASE = timedelta(seconds=45)
RENEW_EVERY = 10.0  # seconds


def register(session: Transaction, identity: str, journals: str, *, now: datetime) -> int:
    """Write down a new sender, and return its number.

    `identity` stands for its data directory; `journals` is where its attempt journal lies.
    """
    sender = Sender(identity=identity, journals=journals, started_at=now, lease_until=now + LEASE)
    session.add(sender)
    session.flush()
    return sender.id


def renew(
    session: Transaction, sender_id: int, identity: str, journals: str, *, now: datetime
) -> bool:
    """Prolong the lease; return whether it was still good.

    A sender that was taken for dead and forgotten is written down again under its number, or
    nobody would ever free what it claims from now on.
    """
    sender = session.get(Sender, sender_id, with_for_update=True)
    if sender is None:
        session.add(
            Sender(
                id=sender_id,
                identity=identity,
                journals=journals,
                started_at=now,
                lease_until=now + LEASE,
            )
        )
        return False
    was_good = sender.lease_until >= now
    sender.lease_until = now + LEASE
    return was_good


def dead_senders(
    session: Transaction, identity: str, own: int | None, *, now: datetime
) -> list[Sender]:
    """Return the senders whose claims are free: our own earlier lives, and whose lease ran out."""
    query = select(Sender).where((Sender.identity == identity) | (Sender.lease_until < now))
    if own is not None:
        query = query.where(Sender.id != own)
    # Locked: one that renews its lease at this moment is waited for, and found alive.
    locked = query.order_by(Sender.id).with_for_update(key_share=True)
    return list(session.scalars(locked.execution_options(populate_existing=True)))


def forget(session: Transaction, sender_id: int) -> None:
    """Delete a sender that holds nothing any more."""
    holds = select(Delivery.id).where(Delivery.claimed_by == sender_id).exists()
    session.execute(delete(Sender).where(Sender.id == sender_id, ~holds))
