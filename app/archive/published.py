"""Which issues the archive shows: those that set out to a segment, and nothing before that.

A mailing that was cancelled is shown only if some reader has its message, or may have it; otherwise
the issue was taken back in time, and nobody has seen it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from app.deliveries.ledger.models import AggregatedCount, Delivery
from app.deliveries.ledger.states import CLAIMED, SENT, UNCERTAIN
from app.errors import DomainError
from app.issues.content import IssueContent
from app.issues.corrections import NO_CORRECTIONS, Corrections, read_corrections
from app.issues.drafting import content_of, find
from app.issues.models import Issue
from app.issues.week import Week
from app.mailings.models import Mailing
from app.mailings.states import CANCELLED, RECALLED

_REACHED = (SENT, UNCERTAIN, CLAIMED)


class NotInArchive(DomainError):
    """The archive has nothing of this name."""


@dataclass(frozen=True, slots=True)
class PublishedIssue:
    """One week's issue, when it set out to a segment, and the hash of its newest version.

    `changed_at` is when that was stored; `corrections` is what readers are told of it.
    """

    week: Week
    launched_at: datetime
    etag: str
    changed_at: datetime | None = None
    corrections: Corrections = NO_CORRECTIONS

    @property
    def updated_at(self) -> datetime:
        """When what readers see changed last: a draft is older than its launch."""
        return max(self.launched_at, self.changed_at or self.launched_at)


def launches(
    session: Session,
    segment: str | None = None,
    *,
    first: Week | None = None,
    last: Week | None = None,
) -> list[PublishedIssue]:
    """Return the issues sent to the segment (None: a row for each), the newest week first."""
    query = (
        select(Mailing.week, Mailing.launched_at, Issue.etag, Issue.changed_at, Issue.corrections)
        .join(Issue, Issue.week == Mailing.week)
        .where(shown())
        .order_by(Mailing.week.desc(), Mailing.id)
    )
    if segment is not None:
        query = query.where(Mailing.segment == segment)
    if first is not None:
        query = query.where(Mailing.week >= str(first))
    if last is not None:
        query = query.where(Mailing.week <= str(last))
    rows = session.execute(query)
    return [
        PublishedIssue(
            Week.parse(week), launched_at, etag, changed_at, read_corrections(corrections)
        )
        for week, launched_at, etag, changed_at, corrections in rows
    ]


def launch_of(session: Session, segment: str, week: Week) -> PublishedIssue:
    """Return the week's launch to the segment. Raises NotInArchive."""
    found = launches(session, segment, first=week, last=week)
    if not found:
        raise NotInArchive(field="week")
    return found[0]


def content_at(session: Session, launch: PublishedIssue) -> IssueContent:
    """Return what is shown: the newest version, the withdrawn commentaries included."""
    return content_of(find(session, launch.week))


def shown() -> ColumnElement[bool]:
    """Tell of a row of mailings whether the archive shows its issue; for a query's WHERE."""
    message = select(Delivery.id).where(
        Delivery.mailing_id == Mailing.id, Delivery.state.in_(_REACHED)
    )
    counted = select(AggregatedCount.mailing_id).where(
        AggregatedCount.mailing_id == Mailing.id, AggregatedCount.state.in_(_REACHED)
    )
    return and_(
        Mailing.state != RECALLED,
        or_(Mailing.state != CANCELLED, message.exists(), counted.exists()),
    )


def segments_shown(session: Session, week: Week) -> list[str]:
    """Return the segments whose archive shows the week's issue."""
    query = select(Mailing.segment).where(Mailing.week == str(week), shown())
    return list(session.scalars(query.order_by(Mailing.segment)))
