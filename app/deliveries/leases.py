"""A sender's lease: while it is renewed, what the sender has claimed is its own.

One row per sender instead of one stamp per letter, so that holding ten thousand claims costs as
little as holding one.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.database import Transaction
from app.deliveries.models import Delivery, Sender

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


def renew(session: Transaction, sender_id: int, *, now: datetime) -> None:
    """Prolong the lease."""
    session.execute(update(Sender).where(Sender.id == sender_id).values(lease_until=now + LEASE))


def dead_senders(
    session: Session, identity: str, own: int | None, *, now: datetime
) -> list[Sender]:
    """Return the senders whose claims are free: our own earlier lives, and whose lease ran out."""
    query = select(Sender).where((Sender.identity == identity) | (Sender.lease_until < now))
    return [sender for sender in session.scalars(query.order_by(Sender.id)) if sender.id != own]


def forget(session: Transaction, sender_id: int) -> None:
    """Delete a sender that holds nothing any more."""
    holds = select(Delivery.id).where(Delivery.claimed_by == sender_id).exists()
    session.execute(delete(Sender).where(Sender.id == sender_id, ~holds))
