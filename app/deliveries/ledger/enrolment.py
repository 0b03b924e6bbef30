"""Enrolment: a launched mailing's audience is frozen, and what was asked for joins the queue.

Set-based and re-runnable: a mailing takes each subscriber in once, a service message itself once.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, literal, null, select
from sqlalchemy.engine import CursorResult

from app.database import Transaction
from app.deliveries.ledger.message_kinds import ALERT, ISSUE
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.states import PENDING
from app.dialects import insert_from_select, insert_if_absent, jittered
from app.mailings.commit_logging import tell
from app.mailings.models import Mailing
from app.mailings.states import ENROLLING, RECALLED, RUNNING, move
from app.operators.alerts import alert
from app.operators.models import Alert
from app.subscribers.models import CONFIRMED, ServiceMessage, Subscription
from app.tokens import new_number

_COLUMNS = (
    *("kind", "mailing_id", "subscriber_id", "service_message_id", "state"),
    *("due_at", "expires_at", "attempts"),
)
# An alert that could not be mailed in this time has been seen elsewhere.
ALERT_LIFE = timedelta(days=2)


def enrol(session: Transaction, *, life: timedelta, now: datetime) -> int:
    """Freeze the audience of every mailing that was launched; return how many rows were written.

    `life` is how long a mailing goes on trying. Whoever confirms later gets the next issue.
    """
    launched = session.scalars(
        select(Mailing)
        .where(Mailing.state == ENROLLING)
        .order_by(Mailing.id)
        .with_for_update(skip_locked=True)
    ).all()
    return sum(_enrol_one(session, mailing, life, now) for mailing in launched)


def _enrol_one(session: Transaction, mailing: Mailing, life: timedelta, now: datetime) -> int:
    forget_rows(session, mailing.id)  # of an earlier launch that was recalled
    readers = (
        select(
            literal(ISSUE),
            literal(mailing.id),
            Subscription.subscriber_id,
            null(),
            literal(PENDING),
            _due(session, mailing, now),
            literal(_end(mailing) + life, Delivery.expires_at.type),
            literal(0),
        )
        .where(Subscription.segment == mailing.segment, Subscription.state == CONFIRMED)
        # In the order of the random ids: the ledger's own numbers then tell nothing.
        .order_by(Subscription.subscriber_id)
    )
    mailing.audience = insert_from_select(session, Delivery, _COLUMNS, readers)
    if mailing.audience:
        mailing.state = move(mailing.state, RUNNING)
        return mailing.audience
    # Whoever was there at the launch has left since. Nothing is spent: it can be launched again.
    mailing.state, mailing.audience = move(mailing.state, RECALLED), None
    tell(session, "recalled", mailing)
    text = (
        f"Mailing {mailing.id} ({mailing.week}, {mailing.segment}) has no readers: all left between"
        " its launch and now. Nothing was sent; the issue stays approved and can be launched again."
    )
    alert(session, f"empty-mailing-{mailing.id}-{now:%Y-%m-%dT%H:%M}", text, now=now)
    return 0


def forget_rows(session: Transaction, mailing_id: int) -> int:
    """Delete the rows of a mailing that was recalled; return how many. None of them was tried."""
    result: CursorResult[object] = session.execute(  # type: ignore[assignment]
        delete(Delivery).where(Delivery.mailing_id == mailing_id)
    )
    return result.rowcount


def _due(session: Transaction, mailing: Mailing, now: datetime) -> ColumnElement[Any]:
    """When each message is due: now, or at an instant of its own in the mailing's window."""
    kind = Delivery.due_at.type
    left = int((_end(mailing) - now).total_seconds())
    return jittered(session, now, left, kind) if left > 0 else literal(now, kind)


def _end(mailing: Mailing) -> datetime:
    return mailing.launched_at + timedelta(seconds=mailing.over or 0)


def take_in_service_messages(session: Transaction, *, now: datetime) -> int:
    """Queue the messages that readers asked for; return how many.

    Their rows stay until the links expire, so their numbers are random: in the order of asking,
    they would tell who came first.
    """
    known = select(Delivery.id).where(Delivery.service_message_id == ServiceMessage.nonce)
    asked = session.scalars(
        select(ServiceMessage)
        .where(ServiceMessage.used.is_(False), ServiceMessage.expires_at > now, ~known.exists())
        .order_by(ServiceMessage.nonce)  # two senders that take in the same ones must not deadlock
    )
    queued = {"state": PENDING, "due_at": now, "attempts": 0}
    rows = [
        {
            **queued,
            "id": new_number(),
            "kind": message.kind,
            "subscriber_id": message.subscriber_id,
            "service_message_id": message.nonce,
            "expires_at": message.expires_at,
        }
        for message in asked
    ]
    return insert_if_absent(session, Delivery, rows)


def take_in_alerts(session: Transaction, *, now: datetime) -> int:
    """Queue the alerts for the operators' mailbox; return how many."""
    known = select(Delivery.id).where(Delivery.service_message_id == Alert.id)
    told = select(
        literal(ALERT),
        null(),
        null(),
        Alert.id,
        literal(PENDING),
        literal(now, Delivery.due_at.type),
        literal(now + ALERT_LIFE, Delivery.expires_at.type),
        literal(0),
    ).where(Alert.at > now - ALERT_LIFE, ~known.exists())
    return insert_from_select(session, Delivery, _COLUMNS, told)
