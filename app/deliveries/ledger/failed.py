"""Failed messages: listed by reason, and sent again where the fault was our own (ADR 0021).

A message is sent again as long as its mailing lives and the ledger knows its reader: after that, or
where the reader was the cause and the mailing is over, nobody knows any more whom it was for.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.database import Transaction
from app.deliveries.ledger.models import AggregatedCount, Delivery
from app.deliveries.ledger.reasons import HARD, OURS, SUSPECT
from app.deliveries.ledger.states import FAILED, PENDING, SENT, move
from app.dialects import in_ids
from app.errors import DomainError
from app.mailings.launch import find_mailing
from app.mailings.states import (
    CANCELLED,
    FINISHED,
    ON_THEIR_WAY,
    RUNNING,
    MoveNotAllowed,
    not_allowed,
)
from app.mailings.states import move as move_mailing

# So many hard refusals of a mailing of which nothing was taken are no coincidence.
TOO_MANY = 3


class UnknownReason(DomainError):
    """No message of this mailing failed for that reason."""


class FailedMessages(NamedTuple):
    """Messages of a mailing that failed alike.

    `ours` tells whether the sender is the cause, `resendable` how many can still be sent again.
    """

    reason: str
    ours: bool
    code: int | None
    status: str | None
    messages: int
    resendable: int


def list_failed(session: Session, mailing_id: int, *, now: datetime) -> list[FailedMessages]:
    """Count a mailing's failed messages by reason and reply, the most first.

    Raises MailingUnknown.
    """
    mailing = find_mailing(session, mailing_id)
    if mailing.folded:
        return _folded(session, mailing_id)
    alike = (Delivery.reason, Delivery.reply_code, Delivery.reply_status)
    of_these = (Delivery.mailing_id == mailing_id, Delivery.state == FAILED)
    counted = select(*alike, func.count()).where(*of_these).group_by(*alike)
    can_go = select(*alike, func.count()).where(*of_these, *_resendable(now)).group_by(*alike)
    left = {row[:3]: row[3] for row in session.execute(can_go)}
    found = [
        FailedMessages(reason or "", reason in OURS, code, status, count, left.get(row[:3], 0))
        for row in session.execute(counted)
        for reason, code, status, count in [row]
    ]
    return sorted(found, key=lambda each: (-each.messages, each.reason, each.code or 0))


def _folded(session: Session, mailing_id: int) -> list[FailedMessages]:
    rows = session.execute(
        select(AggregatedCount.reason, AggregatedCount.count)
        .where(AggregatedCount.mailing_id == mailing_id, AggregatedCount.state == FAILED)
        .order_by(AggregatedCount.count.desc(), AggregatedCount.reason)
    )
    return [FailedMessages(reason, reason in OURS, None, None, n, 0) for reason, n in rows]


def _resendable(now: datetime) -> Sequence[ColumnElement[bool]]:
    return (Delivery.subscriber_id.is_not(None), Delivery.expires_at > now)


def resend_failed(
    session: Transaction, mailing_id: int, reason: str | None = None, *, now: datetime
) -> int:
    """Queue failed messages again; return how many.

    None: whatever failed by our own fault; a reason: that one, also where readers were the cause.
    A finished mailing runs again, a paused one stays paused. Raises MailingUnknown, UnknownReason,
    or MoveNotAllowed for a mailing that is cancelled or recalled.
    """
    mailing = find_mailing(session, mailing_id, lock=True)
    if mailing.state not in (*ON_THEIR_WAY, FINISHED):
        way_out = " Resume it first." if mailing.state == CANCELLED else ""
        raise MoveNotAllowed(not_allowed(mailing.state, "sent again") + way_out)
    failed_for = {each.reason for each in list_failed(session, mailing_id, now=now)}
    if reason is not None and reason not in failed_for:
        known = ", ".join(sorted(failed_for)) or "none"
        raise UnknownReason(f"The reasons of this mailing are: {known}.", field="reason")
    wanted = OURS if reason is None else (reason,)
    count = _take_back(
        session,
        (
            Delivery.mailing_id == mailing_id,
            Delivery.reason.in_(wanted),
            *_resendable(now),
        ),
        now,
    )
    if count and mailing.state == FINISHED:
        mailing.state = move_mailing(mailing.state, RUNNING)
        mailing.finished_at = None
    return count


def take_back(session: Transaction, ids: Collection[int], *, now: datetime) -> int:
    """Make messages pending that failed in a row of refusals; return how many."""
    return _take_back(session, (in_ids(Delivery.id, ids),), now) if ids else 0


def take_back_untaken(session: Transaction, mailing_id: int, *, now: datetime) -> int:
    """Make a mailing's messages pending if nothing of it was taken; return how many.

    A hard refusal of one or two readers is believed all the same: they may be the only ones.
    """
    if _taken_at(session, mailing_id) is not None:
        return 0
    hard = select(func.count()).where(
        Delivery.mailing_id == mailing_id, Delivery.state == FAILED, Delivery.reason == HARD
    )
    reasons = (*SUSPECT, HARD) if (session.scalar(hard) or 0) >= TOO_MANY else SUSPECT
    return _take_back(
        session, (Delivery.mailing_id == mailing_id, Delivery.reason.in_(reasons)), now
    )


def take_back_since_taken(session: Transaction, mailing_id: int, *, now: datetime) -> int:
    """Make pending what failed by our own fault since a message was taken; return how many.

    Other senders, and an earlier life of this one, may have met the same row of refusals. Since
    when is known by the claims only: what failed singly shortly before is tried again, too.
    """
    since = _taken_at(session, mailing_id)
    if since is None:
        return take_back_untaken(session, mailing_id, now=now)
    which = (
        Delivery.mailing_id == mailing_id,
        Delivery.reason.in_(OURS),
        Delivery.attempted_at >= since,
    )
    return _take_back(session, which, now)


def _taken_at(session: Session, mailing_id: int) -> datetime | None:
    """Return when the message was claimed that was last taken; of one in doubt nobody knows."""
    query = select(func.max(Delivery.attempted_at)).where(
        Delivery.mailing_id == mailing_id, Delivery.state == SENT
    )
    return session.scalar(query)


def _take_back(session: Transaction, which: Sequence[ColumnElement[bool]], now: datetime) -> int:
    result: CursorResult[object] = session.execute(  # type: ignore[assignment]
        update(Delivery)
        .where(*which, Delivery.state == FAILED)
        .values(state=move(FAILED, PENDING), reason=None, due_at=now)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount
