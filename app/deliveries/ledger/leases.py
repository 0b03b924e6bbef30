"""A sender's lease: while it is renewed, what the sender has claimed is its own.

One row per sender instead of one stamp per message, so that holding ten thousand claims costs as
little as holding one.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

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


class PeerWatch:
    """Which other senders have not renewed their lease for as long as it lasts.

    By our own monotonic clock alone: no difference between two hosts' clocks makes a living sender
    look dead. Whoever was frozen or had no database itself saw nobody renew, and begins anew.
    """

    def __init__(self) -> None:
        """Know nobody yet."""
        self._seen: dict[int, tuple[datetime, float]] = {}
        self._looked = float("-inf")

    def look(self, leases: Mapping[int, datetime], at: float) -> dict[int, datetime]:
        """Take the leases as they stand `at` (monotonic, seconds); return those that are over."""
        patience = LEASE.total_seconds()
        if at - self._looked > patience * 2 / 3:
            self._seen = {}
        self._looked = at
        before = self._seen
        self._seen = {
            sender_id: before[sender_id]
            if sender_id in before and before[sender_id][0] == lease
            else (lease, at)
            for sender_id, lease in leases.items()
        }
        return {
            sender_id: lease
            for sender_id, (lease, since) in self._seen.items()
            if at - since >= patience
        }


def leases_of_others(session: Session, own: int) -> dict[int, datetime]:
    """Return the lease of every other sender, by its number."""
    rows = session.execute(select(Sender.id, Sender.lease_until).where(Sender.id != own))
    return {row.id: row.lease_until for row in rows}


def latest_lease(session: Session) -> datetime | None:
    """Return the latest end of a lease that any sender wrote; None if there is none."""
    return session.scalar(select(func.max(Sender.lease_until)))


def dead_senders(
    session: Transaction,
    identity: str,
    own: int | None,
    silent: Mapping[int, datetime] = MappingProxyType({}),
) -> list[Sender]:
    """Return the senders whose claims are free: our own earlier lives, and those of the `silent`.

    These are senders that were seen not to renew for too long, with the lease that they had.
    """
    query = select(Sender).where((Sender.identity == identity) | Sender.id.in_(silent))
    if own is not None:
        query = query.where(Sender.id != own)
    # Locked: one that renews its lease at this moment is waited for, and found alive.
    locked = query.order_by(Sender.id).with_for_update(key_share=True)
    found = session.scalars(locked.execution_options(populate_existing=True))
    return [
        each
        for each in found
        if each.identity == identity or each.lease_until == silent.get(each.id)
    ]


def forget(session: Transaction, sender_id: int) -> None:
    """Delete a sender that holds nothing any more."""
    holds = select(Delivery.id).where(Delivery.claimed_by == sender_id).exists()
    session.execute(delete(Sender).where(Sender.id == sender_id, ~holds))
