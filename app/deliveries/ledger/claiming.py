"""Claiming: a sender takes the next due messages for itself, in one short transaction.

Service messages come first: somebody waits for them. Then every running mailing gets its share.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, text, update

from app.database import Transaction
from app.deliveries.ledger.due import Due, due, of_issues, of_messages
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.states import CLAIMED
from app.dialects import in_ids
from app.mailings.models import Mailing
from app.mailings.states import RUNNING

# In these very words, so that both databases see that the partial index answers it.
IS_OPEN = text("deliveries.state IN ('pending', 'deferred')")


def claim(session: Transaction, sender_id: int, *, limit: int, now: datetime) -> list[Due]:
    """Claim up to `limit` due messages, the most urgent first."""
    if limit <= 0:
        return []
    found = _next(session, of_messages(), limit, now)
    running = session.scalars(
        select(Mailing.id)
        .where(Mailing.state == RUNNING)
        # Until the claim is committed nobody pauses, recalls or revises the mailing: whoever does
        # so afterwards sees the claim. One that is decided about now is left for the next turn.
        .with_for_update(read=True, key_share=True, skip_locked=True)
    ).all()
    for left, mailing_id in zip(range(len(running), 0, -1), running, strict=True):
        share = -(-(limit - len(found)) // left)
        of_this = of_issues().where(Delivery.mailing_id == mailing_id)
        found += _next(session, of_this, share, now)
    by_revision: dict[int, list[int]] = {}
    for each in found:
        by_revision.setdefault(each.revision, []).append(each.claim.delivery_id)
    for revision, ids in by_revision.items():
        session.execute(
            update(Delivery)
            .where(in_ids(Delivery.id, ids))
            .values(state=CLAIMED, claimed_by=sender_id, attempted_at=now, revision=revision)
            .execution_options(synchronize_session=False)
        )
    return found


def _next(
    session: Transaction, messages: Select[*tuple[Any, ...]], limit: int, now: datetime
) -> list[Due]:
    if limit <= 0:
        return []
    rows = session.execute(
        messages.where(IS_OPEN, Delivery.due_at <= now)
        .order_by(Delivery.due_at, Delivery.id)
        .limit(limit)
        .with_for_update(of=Delivery, skip_locked=True)
    )
    return [due(row) for row in rows]


def park(session: Transaction, sender_id: int, ids: Collection[int]) -> None:
    """Note that claims of ours wait, and cannot have been at a connection."""
    _note(session, sender_id, ids, None)


def take_up(
    session: Transaction, sender_id: int, ids: Collection[int], *, now: datetime
) -> list[Due]:
    """Read parked claims of ours, which may be at a connection soon."""
    found = claimed_still(session, sender_id, ids)
    _note(session, sender_id, [each.claim.delivery_id for each in found], now)
    return found


def _note(session: Transaction, sender_id: int, ids: Collection[int], at: datetime | None) -> None:
    if ids:
        session.execute(
            update(Delivery)
            .where(
                in_ids(Delivery.id, ids),
                Delivery.claimed_by == sender_id,
                Delivery.state == CLAIMED,
            )
            .values(attempted_at=at)
            .execution_options(synchronize_session=False)
        )


def claimed_still(session: Transaction, sender_id: int, ids: Collection[int]) -> list[Due]:
    """Read claims of ours anew; left out are those that another sender took over."""
    found: list[Due] = []
    if ids:
        for messages in (of_messages(), of_issues()):
            ours = messages.where(
                in_ids(Delivery.id, ids),
                Delivery.claimed_by == sender_id,
                Delivery.state == CLAIMED,
            )
            found += [due(row) for row in session.execute(ours.with_for_update(of=Delivery))]
    return found
