"""The end of a mailing: when no message can move by itself any more, and what is forgotten then.

First the readers' ids are blanked, then, after the retention time, the rows become counts.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.database import Transaction
from app.deliveries.ledger.cancelling import exclude_rest, take_up_rest
from app.deliveries.ledger.enrolment import forget_rows
from app.deliveries.ledger.failed import take_back_untaken
from app.deliveries.ledger.models import AggregatedCount, Delivery
from app.deliveries.ledger.progress import sent_by_revision
from app.deliveries.ledger.reasons import CANCELLED_BY_OPERATOR, OURS
from app.deliveries.ledger.states import FAILED, OPEN, UNCERTAIN
from app.mailings.commit_logging import tell
from app.mailings.control import pause
from app.mailings.models import Mailing
from app.mailings.states import CANCELLED, FINISHED, RECALLED, RUNNING, move
from app.operators.alerts import alert

_BLANK_AT_ONCE = 10_000

BeforeBlank = Callable[[Transaction, Sequence[int]], None]


def complete(session: Transaction, *, now: datetime) -> int:
    """Finish every running mailing whose messages all stand still; return how many.

    What came back into the queue of a cancelled one meanwhile is excluded; what was excluded from a
    resumed one, by a sender that had not heard of that, is taken up; a recalled one's rows go.
    """
    running = session.scalars(
        select(Mailing).where(Mailing.state == RUNNING).with_for_update(skip_locked=True)
    ).all()
    _exclude_latecomers(session)
    _forget_recalled(session)
    for mailing in running:
        take_up_rest(session, mailing.id, now=now)
    still = [mailing for mailing in running if not _moves(session, mailing.id)]
    finished = [mailing for mailing in still if not _was_refused(session, mailing, now)]
    for mailing in finished:
        mailing.state = move(mailing.state, FINISHED)
        mailing.finished_at = now
        tell(session, "finished", mailing)
        _tell_of_doubts(session, mailing, now)
        _tell_of_failed(session, mailing, now)
    return len(finished)


def _was_refused(session: Transaction, mailing: Mailing, now: datetime) -> bool:
    """Pause a mailing of which nothing was taken, and whose messages were refused.

    A short list ends before the row of its refusals is long enough to stop the mailing.
    """
    count = take_back_untaken(session, mailing.id, now=now)
    if not count:
        return False
    pause(session, mailing.id)
    text = (
        f"Mailing {mailing.id} ({mailing.week}, {mailing.segment}) is paused: the relay took none"
        f" of its messages, and refused so many for what may be our own fault: {count}. They wait."
        " Put the relay, its account or the issue right, then resume the mailing."
    )
    alert(session, f"mailing-paused-{mailing.id}-{now:%Y-%m-%dT%H:%M:%S}", text, now=now)
    return True


def _tell_of_failed(session: Transaction, mailing: Mailing, now: datetime) -> None:
    query = select(func.count()).where(
        Delivery.mailing_id == mailing.id, Delivery.state == FAILED, Delivery.reason.in_(OURS)
    )
    if count := session.scalar(query):
        text = (
            f"Mailing {mailing.id} ({mailing.week}, {mailing.segment}) is finished; messages that"
            f" failed for what may be our own fault: {count}. `vestka mailing failed {mailing.id}`"
            " lists them; with --resend they go again, as long as the mailing lives."
        )
        alert(session, f"failed-mailing-{mailing.id}-{now.date()}", text, now=now)


def _exclude_latecomers(session: Transaction) -> None:
    """Exclude what came back into the queue of a mailing that had been cancelled meanwhile."""
    cancelled = select(Mailing.id).where(Mailing.state == CANCELLED, Mailing.folded.is_(False))
    for mailing_id in session.scalars(cancelled).all():
        exclude_rest(session, mailing_id, CANCELLED_BY_OPERATOR)


def _forget_recalled(session: Transaction) -> None:
    """Delete the rows of recalled mailings: nothing of them was attempted."""
    left = select(Delivery.id).where(Delivery.mailing_id == Mailing.id)
    recalled = select(Mailing.id).where(Mailing.state == RECALLED, left.exists())
    for mailing_id in session.scalars(recalled.with_for_update(skip_locked=True)).all():
        forget_rows(session, mailing_id)


def _tell_of_doubts(session: Transaction, mailing: Mailing, now: datetime) -> None:
    query = select(func.count()).where(
        Delivery.mailing_id == mailing.id, Delivery.state == UNCERTAIN
    )
    if doubts := session.scalar(query):
        text = (
            f"Mailing {mailing.id} ({mailing.week}, {mailing.segment}) is finished, and an operator"
            f" has to decide about messages that the relay may have or not: {doubts}."
            f" `vestka mailing uncertain {mailing.id}` lists them; with --resend they go again,"
            " with --settle they count as sent."
        )
        alert(session, f"uncertain-mailing-{mailing.id}-{now.date()}", text, now=now)


def _moves(session: Session, mailing_id: int) -> bool:
    query = select(Delivery.id).where(Delivery.mailing_id == mailing_id, Delivery.state.in_(OPEN))
    return session.scalar(query.limit(1)) is not None


def anonymise(session: Transaction, before: BeforeBlank | None = None, *, now: datetime) -> int:
    """Forget which readers an ended mailing's rows were for; return how many rows were left so.

    `before` sees the rows' numbers while they still know. Messages in doubt keep their reader until
    the doubt is settled: they may have to be sent again. Whom only a cancelling excluded, or whose
    message failed by our own fault, is kept until the mailing's life is over: it may be resumed, or
    the message sent again.
    """
    ended = select(Mailing.id).where(Mailing.state.in_((FINISHED, CANCELLED)))
    rows = (
        select(Delivery.id)
        .where(
            Delivery.mailing_id.in_(ended),
            Delivery.subscriber_id.is_not(None),
            Delivery.state.not_in((*OPEN, UNCERTAIN)),
            or_(
                Delivery.reason.is_(None),
                Delivery.reason.not_in((CANCELLED_BY_OPERATOR, *OURS)),
                Delivery.expires_at <= now,
            ),
        )
        .limit(_BLANK_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    ids = session.scalars(rows).all()
    if ids and before is not None:
        before(session, ids)
    if ids:
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_(ids))
            .values(subscriber_id=None)
            .execution_options(synchronize_session=False)
        )
    return len(ids)


def aggregate(session: Transaction, retention: timedelta, *, now: datetime) -> int:
    """Turn the rows of mailings that ended before the retention time into counts.

    One that an operator decides about at this moment is left for the next time.
    """
    old = session.scalars(
        select(Mailing)
        .where(
            Mailing.state.in_((FINISHED, CANCELLED)),
            Mailing.folded.is_(False),
            Mailing.finished_at < now - retention,
        )
        .with_for_update(skip_locked=True)
    ).all()
    for mailing in old:
        _fold_one(session, mailing)
    return len(old)


def _fold_one(session: Transaction, mailing: Mailing) -> None:
    counted = session.execute(
        select(Delivery.state, Delivery.reason, func.count())
        .where(Delivery.mailing_id == mailing.id)
        .group_by(Delivery.state, Delivery.reason)
    )
    for state, reason, count in counted:
        session.add(
            AggregatedCount(mailing_id=mailing.id, state=state, reason=reason or "", count=count)
        )
    mailing.sent_by_revision = json.dumps(sent_by_revision(session, mailing))
    session.execute(delete(Delivery).where(Delivery.mailing_id == mailing.id))
    mailing.folded = True


def forget_service_messages(session: Transaction, *, now: datetime) -> int:
    """Delete the rows of service messages that are over, and whose link has expired.

    What must stay until then, or the message would go again, forgets when it went: that is when its
    reader came, to the second (ADR 6).
    """
    session.execute(
        update(Delivery)
        .where(
            Delivery.mailing_id.is_(None),
            Delivery.state.not_in((*OPEN, UNCERTAIN)),
            Delivery.due_at != Delivery.expires_at,
        )
        .values(due_at=Delivery.expires_at, attempted_at=None)
        .execution_options(synchronize_session=False)
    )
    result: CursorResult[object] = session.execute(  # type: ignore[assignment]
        delete(Delivery).where(
            Delivery.mailing_id.is_(None), Delivery.state.not_in(OPEN), Delivery.expires_at < now
        )
    )
    return result.rowcount
