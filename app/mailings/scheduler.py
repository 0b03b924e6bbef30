"""The calendar's step: when a segment's slot has come, its issue goes; and a slot is decided once.

The approved, unsent issue of the slot's week goes, or else that of the week before. If there is
none, or nobody to read it, or the slot was missed by more than the grace time, nothing goes and the
operators are told.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_if_absent
from app.issues.approval import approved_segments
from app.issues.week import Week
from app.mailings.calendar import Schedule
from app.mailings.launch import CALENDAR, has_readers, known_launch, launch, mailing_of
from app.mailings.models import Installation, Mailing, Slot
from app.mailings.states import RECALLED
from app.newsletter import Newsletter, Segment
from app.operators.alerts import alert

LAUNCHED = "launched"
NOTHING = "nothing"
LATE = "late"
ALREADY = "already"
EMPTY = "empty"
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def launch_due(
    session: Transaction,
    newsletter: Newsletter,
    schedules: Mapping[str, Schedule | None],
    *,
    grace: timedelta,
    over: timedelta | None = None,
    now: datetime,
) -> int:
    """Decide the slots that have come; return how many mailings were launched.

    Their messages are spread over the window `over`, if there is one.
    """
    made_at = _made_at(session, now)
    launched = 0
    for segment in newsletter.segments:
        schedule = schedules.get(segment.id)
        if schedule is None:
            continue
        slot = schedule.latest(max(made_at, _last_decided(session, segment)), now)
        if slot is not None:
            week = _decide(session, segment, schedule, slot, grace, now)
            if week is not None:
                _, new = launch(session, week, segment, by=CALENDAR, over=over, now=now)
                launched += new
    return launched


def _made_at(session: Transaction, now: datetime) -> datetime:
    """Return when this database was made, which is now if nobody noted it yet."""
    insert_if_absent(session, Installation, [{"id": 1, "made_at": now}])
    return session.scalars(select(Installation.made_at)).one()


def _last_decided(session: Session, segment: Segment) -> datetime:
    query = select(func.max(Slot.at)).where(Slot.segment == segment.id)
    return session.scalar(query) or _EVER


def _decide(
    session: Transaction,
    segment: Segment,
    schedule: Schedule,
    slot: datetime,
    grace: timedelta,
    now: datetime,
) -> Week | None:
    """Decide a slot; return the week whose issue is to be launched, if there is one."""
    this_week = schedule.week_of(slot)
    week = _ready(session, segment, this_week, now)
    if now - slot > grace:
        decision = LATE
    elif week is not None:
        decision = LAUNCHED if has_readers(session, segment.id) else EMPTY
    else:
        decision = ALREADY if _was_sent(session, segment, this_week, slot) else NOTHING
    row = {
        "segment": segment.id,
        "at": slot,
        "decision": decision,
        "week": str(week) if week else None,
    }
    if not insert_if_absent(session, Slot, [row]):
        return None  # another process decided it at the same moment
    _tell(session, segment, slot, decision, now)
    return week if decision == LAUNCHED else None


def _ready(session: Transaction, segment: Segment, this_week: Week, now: datetime) -> Week | None:
    for week in (this_week, this_week.previous()):
        if mailing_of(session, week, segment.id) is not None:
            return None  # an older issue does not follow a newer one
        if segment.id not in approved_segments(session, week):
            continue
        if known_launch(session, week, segment.id) is not None:
            text = (
                f"The issue {week} was sent to {segment.label} before, though this database does"
                " not know it: it seems to come from a backup. The calendar does not send it again."
            )
            alert(session, f"noted-{week}-{segment.id}", text, now=now)
            continue
        return week
    return None


def _was_sent(session: Session, segment: Segment, this_week: Week, slot: datetime) -> bool:
    """Tell whether an operator was faster than the calendar, or an earlier life of the database."""
    for week in (this_week, this_week.previous()):
        if (
            known_launch(session, week, segment.id) is not None
            and mailing_of(session, week, segment.id) is None
        ):
            return True
    query = select(Mailing.id).where(
        Mailing.segment == segment.id,
        Mailing.week.in_([str(this_week), str(this_week.previous())]),
        Mailing.launched_at > slot - timedelta(days=6),
        Mailing.state != RECALLED,
    )
    return session.scalar(query) is not None


def _tell(
    session: Transaction, segment: Segment, slot: datetime, decision: str, now: datetime
) -> None:
    when = f"{slot:%Y-%m-%d %H:%M} UTC"
    texts = {
        NOTHING: f"The slot of {segment.label} came ({when}) and there was no approved issue.",
        LATE: f"The slot of {segment.label} ({when}) was missed by more than the grace time;"
        " its issue waits for an operator.",
        EMPTY: f"The slot of {segment.label} came ({when}) and the segment has no confirmed"
        " subscriber: nothing was launched. The issue stays approved, and an operator can launch it"
        " when there is somebody to read it.",
    }
    if decision in texts:
        alert(session, f"slot-{segment.id}-{slot:%Y-%m-%dT%H:%M}", texts[decision], now=now)
