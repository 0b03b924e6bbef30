"""Launching: an approved issue sets out to a segment, once, whoever asks and how often."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_if_absent
from app.errors import DomainError
from app.issues.approval import NotApproved, approved_segments
from app.issues.drafting import find
from app.issues.week import Week
from app.mailings.commit_logging import tell
from app.mailings.models import Mailing
from app.mailings.states import ENROLLING
from app.newsletter import Segment
from app.settings import LONGEST_WINDOW

CALENDAR = "calendar"


class WindowTooLong(DomainError):
    """A mailing may be spread over six days at most."""


class MailingUnknown(DomainError):
    """There is no such mailing."""


def mailing_of(session: Session, week: Week, segment: str) -> Mailing | None:
    """Return the mailing of this issue to this segment, if it was launched."""
    query = select(Mailing).where(Mailing.week == str(week), Mailing.segment == segment)
    return session.scalar(query)


def find_mailing(session: Session, mailing_id: int, *, lock: bool = False) -> Mailing:
    """Return a mailing by its number. Raises MailingUnknown."""
    mailing = session.get(Mailing, mailing_id, with_for_update=lock or None, populate_existing=lock)
    if mailing is None:
        raise MailingUnknown
    return mailing


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
    find(session, week)
    if segment.id not in approved_segments(session, week):
        raise NotApproved
    row = {
        "week": str(week),
        "segment": segment.id,
        "state": ENROLLING,
        "launched_by": by,
        "launched_at": now,
        "over": int(over.total_seconds()) if over else None,
        "folded": False,
    }
    try:
        new = insert_if_absent(session, Mailing, [row])
    except IntegrityError:  # the approval was withdrawn at this very moment
        raise NotApproved from None
    mailing = mailing_of(session, week, segment.id)
    if mailing is None:
        raise MailingUnknown
    if new:
        tell(session, "launched", mailing)
    return mailing, bool(new)
