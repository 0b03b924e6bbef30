"""Launching: an approved issue sets out to a segment, once, whoever asks and how often.

A mailing that was recalled counts as none: the next launch takes its row up again.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_if_absent
from app.editions.freezing import newest_revision
from app.errors import DomainError
from app.instance.events import launched_again, tell_witnesses
from app.issues.approval import NotApproved, approved_segments
from app.issues.drafting import find
from app.issues.week import Week
from app.mailings.commit_logging import tell
from app.mailings.models import KnownLaunch, Mailing
from app.mailings.states import CANCELLED, ENROLLING, RECALLED, move
from app.newsletter import Segment
from app.settings import LONGEST_WINDOW
from app.subscribers.models import CONFIRMED, Subscription

CALENDAR = "calendar"


class WindowTooLong(DomainError):
    """A mailing may be spread over six days at most."""


class MailingUnknown(DomainError):
    """There is no such mailing."""


class AudienceEmpty(DomainError):
    """This segment has no confirmed subscriber, so nothing is launched."""

    def __init__(self, segment: Segment) -> None:
        """Name the segment."""
        super().__init__(
            f"{segment.label} has no confirmed subscriber. Nothing was launched; the issue stays"
            " approved and can be launched when there is somebody to read it."
        )


class LaunchedBefore(DomainError):
    """This issue was sent to this segment before, though this database does not know it."""

    def __init__(self, week: Week, segment: Segment, twice: int) -> None:
        """Say how many readers would get it twice."""
        super().__init__(
            f"Issue {week} was sent to {segment.label} before; this database was restored from a"
            f" backup and does not know it. Up to {twice} readers would get it twice. To send it"
            ' all the same, say so: `vestka mailing start --again`, or "again": true.'
        )
        self.facts = {"twice": twice}


class MailingCancelled(DomainError):
    """The mailing of this issue to this segment was cancelled."""

    def __init__(self, mailing: Mailing) -> None:
        """Say which, and what can be done."""
        super().__init__(
            f"Mailing {mailing.id} of {mailing.week} to {mailing.segment} was cancelled; it is not"
            f" launched a second time. Resume it (`vestka mailing resume {mailing.id}`) for those"
            " who have nothing yet, or, if nothing was attempted, recall it"
            f" (`vestka mailing recall {mailing.id}`): that opens the issue again."
        )
        self.facts = {"mailing": mailing.id, "state": mailing.state}


def mailing_of(session: Session, week: Week, segment: str) -> Mailing | None:
    """Return the mailing of this issue to this segment; None if none, or it was recalled."""
    query = select(Mailing).where(
        Mailing.week == str(week), Mailing.segment == segment, Mailing.state != RECALLED
    )
    return session.scalar(query)


def find_mailing(session: Session, mailing_id: int, *, lock: bool = False) -> Mailing:
    """Return a mailing by its number. Raises MailingUnknown."""
    mailing = session.get(Mailing, mailing_id, with_for_update=lock or None, populate_existing=lock)
    if mailing is None:
        raise MailingUnknown
    return mailing


def readers_of(session: Session, segment: str) -> int:
    """Count who would be in the audience of a mailing that was launched now."""
    query = select(func.count()).where(
        Subscription.segment == segment, Subscription.state == CONFIRMED
    )
    return session.scalar(query) or 0


def has_readers(session: Session, segment: str) -> bool:
    """Tell whether a mailing that was launched now would have an audience."""
    query = select(Subscription.subscriber_id).where(
        Subscription.segment == segment, Subscription.state == CONFIRMED
    )
    return session.scalar(query.limit(1)) is not None


def known_launch(session: Session, week: Week, segment: str) -> KnownLaunch | None:
    """Return what a witness knows of a launch that this database had forgotten."""
    return session.get(KnownLaunch, (str(week), segment))


def twice_at_most(session: Session, week: Week, segment: Segment) -> int | None:
    """Count who might get an issue twice if it was launched now; None if nobody would."""
    known = known_launch(session, week, segment.id)
    if known is None or mailing_of(session, week, segment.id) is not None:
        return None
    return readers_of(session, segment.id) if known.sent is None else known.sent


def launch_on_request(
    session: Transaction,
    week: Week,
    segment: Segment,
    *,
    by: str,
    again: bool = False,
    over: timedelta | None = None,
    now: datetime,
) -> tuple[Mailing, bool]:
    """Launch as an operator asks for it; return the mailing, and whether it is new.

    One that was launched already is returned as it stands. Raises what `launch` raises,
    AudienceEmpty, MailingCancelled, or LaunchedBefore unless it is to go `again`. Readers who leave
    between this count and the enrolment are not in the audience; should nobody be left, the
    enrolment recalls the mailing.
    """
    known = mailing_of(session, week, segment.id)
    if known is not None and known.state == CANCELLED:
        raise MailingCancelled(known)
    if known is None:
        check_launchable(session, week, segment)
        if not has_readers(session, segment.id):
            raise AudienceEmpty(segment)
        twice = twice_at_most(session, week, segment)
        if twice is not None:
            if not again:
                raise LaunchedBefore(week, segment, twice)
            tell_witnesses(session, [launched_again(str(week), segment.id)])
    return launch(session, week, segment, by=by, over=over, now=now)


def check_launchable(session: Session, week: Week, segment: Segment) -> None:
    """Raise IssueUnknown or NotApproved if this issue cannot go to this segment."""
    find(session, week)
    if segment.id not in approved_segments(session, week):
        raise NotApproved


def launch(
    session: Transaction,
    week: Week,
    segment: Segment,
    *,
    by: str,
    over: timedelta | None = None,
    now: datetime,
) -> tuple[Mailing, bool]:
    """Launch the week's issue to the segment; return its mailing, and whether it is new.

    Its messages are spread over a window (`over`), if one is given. Raises IssueUnknown,
    NotApproved, or WindowTooLong.
    """
    if over is not None and over > LONGEST_WINDOW:
        raise WindowTooLong
    known = mailing_of(session, week, segment.id)
    if known is not None:
        return known, False
    _lock_recalled(session, week, segment)
    check_launchable(session, week, segment)
    facts = {
        "state": ENROLLING,
        "launched_by": by,
        "launched_at": now,
        "over": int(over.total_seconds()) if over else None,
        "revision": newest_revision(session, str(week), segment.id) or 1,
    }
    key = {"week": str(week), "segment": segment.id}
    try:
        new = insert_if_absent(session, Mailing, [{**key, **facts, "folded": False}])
    except IntegrityError:  # the approval was withdrawn at this very moment
        raise NotApproved from None
    if not new:
        new = _launch_again(session, week, segment, facts)
    mailing = mailing_of(session, week, segment.id)
    if mailing is None:
        raise MailingUnknown
    if new:
        session.refresh(mailing)
        tell(session, "launched", mailing)
    return mailing, bool(new)


def _lock_recalled(session: Transaction, week: Week, segment: Segment) -> None:
    """Keep a withdrawal of the approval from passing: it locks this row, too, if there is one."""
    session.execute(
        select(Mailing.id)
        .where(Mailing.week == str(week), Mailing.segment == segment.id)
        .with_for_update()
    )


def _launch_again(
    session: Transaction, week: Week, segment: Segment, facts: dict[str, object]
) -> bool:
    """Take up the row of a recalled mailing; tell whether there was one."""
    move(RECALLED, ENROLLING)
    result: CursorResult[object] = session.execute(  # type: ignore[assignment]
        update(Mailing)
        .where(Mailing.week == str(week), Mailing.segment == segment.id, Mailing.state == RECALLED)
        .values(**facts, audience=None, finished_at=None, folded=False, sent_by_revision=None)
        .execution_options(synchronize_session=False)
    )
    return bool(result.rowcount)
