"""Claiming: a sender takes the next due letters for itself, in one short transaction.

Service letters come first: somebody is waiting for them. Then every running mailing gets its share.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, text, update

from app.database import Transaction
from app.deliveries.models import Delivery
from app.deliveries.states import CLAIMED
from app.mailings.models import Mailing
from app.mailings.states import RUNNING

# In these very words, so that both databases see that the partial index answers it.
IS_OPEN = text("deliveries.state IN ('pending', 'deferred')")


@dataclass(frozen=True, slots=True)
class Claim:
    """A letter that this sender has taken on."""

    delivery_id: int
    kind: str
    mailing_id: int | None
    subscriber_id: bytes | None
    letter_id: bytes | None
    attempts: int
    expires_at: datetime


def claim(session: Transaction, sender_id: int, *, limit: int, now: datetime) -> list[Claim]:
    """Claim up to `limit` due letters, the most urgent first."""
    claims = _claim_where(session, sender_id, Delivery.mailing_id.is_(None), limit, now)
    running = session.scalars(select(Mailing.id).where(Mailing.state == RUNNING)).all()
    for left, mailing_id in zip(range(len(running), 0, -1), running, strict=True):
        share = -(-(limit - len(claims)) // left)
        claims += _claim_where(session, sender_id, Delivery.mailing_id == mailing_id, share, now)
    return claims


def _claim_where(
    session: Transaction, sender_id: int, which: ColumnElement[bool], limit: int, now: datetime
) -> list[Claim]:
    if limit <= 0:
        return []
    rows = session.execute(
        select(
            Delivery.id,
            Delivery.kind,
            Delivery.mailing_id,
            Delivery.subscriber_id,
            Delivery.letter_id,
            Delivery.attempts,
            Delivery.expires_at,
        )
        .where(which, IS_OPEN, Delivery.due_at <= now)
        .order_by(Delivery.due_at, Delivery.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    claims = [Claim(*row) for row in rows]
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_([claim.delivery_id for claim in claims]))
        .values(state=CLAIMED, claimed_by=sender_id, handed=False)
        .execution_options(synchronize_session=False)
    )
    return claims
