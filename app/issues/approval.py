"""An issue is approved for a segment when every commentary has a text that the segment can read.

A photo in the message has a description in the language of that text.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_if_absent
from app.errors import DomainError
from app.issues.content import missing_alts, missing_texts
from app.issues.drafting import content_of, find
from app.issues.models import Approval
from app.issues.week import Week
from app.newsletter import Newsletter, Segment, UnknownSegment


class IssueIncomplete(DomainError):
    """A text is missing that the segment's readers could read."""

    def __init__(self, missing: dict[str, tuple[str, ...]]) -> None:
        """`missing` names, by segment, the places of the texts that are not there."""
        said = "; ".join(f"{segment}: {', '.join(places)}" for segment, places in missing.items())
        super().__init__(f"a text is missing that the readers could read ({said})")
        self.facts = {"missing": {segment: list(places) for segment, places in missing.items()}}


class NotApproved(DomainError):
    """This issue is not approved for this segment."""


def approve(
    session: Transaction,
    newsletter: Newsletter,
    week: Week,
    segments: Sequence[str] | None,
    *,
    by: str,
    now: datetime,
) -> tuple[str, ...]:
    """Approve the week's issue for these segments (None: all); return the ids approved now.

    All or none: raises IssueIncomplete with everything that is missing, IssueUnknown, or
    UnknownSegment. The issue stays locked: nobody edits what is being approved.
    """
    content = content_of(find(session, week, lock=True))
    wanted = _named(newsletter, segments)
    gaps = {
        each.id: (*missing_texts(content, each), *missing_alts(content, each)) for each in wanted
    }
    if missing := {segment: places for segment, places in gaps.items() if places}:
        raise IssueIncomplete(missing)
    rows = [
        {"week": str(week), "segment": each.id, "approved_by": by, "approved_at": now}
        for each in wanted
    ]
    insert_if_absent(session, Approval, rows)
    session.execute(  # the row of a recalled mailing's approval is still there
        update(Approval)
        .where(
            Approval.week == str(week),
            Approval.segment.in_([each.id for each in wanted]),
            Approval.withdrawn,
        )
        .values(withdrawn=False, approved_by=by, approved_at=now)
        .execution_options(synchronize_session=False)
    )
    return tuple(segment.id for segment in wanted)


def _named(newsletter: Newsletter, names: Sequence[str] | None) -> list[Segment]:
    if names is None:
        return list(newsletter.segments)
    found: dict[str, Segment] = {}
    for index, name in enumerate(names):
        try:
            segment = newsletter.segment(name)
        except UnknownSegment:
            raise UnknownSegment(field=f"segments.{index}") from None
        found[segment.id] = segment
    return list(found.values())


def approved_segments(session: Session, week: Week) -> tuple[str, ...]:
    """Return the segments that the week's issue is approved for."""
    query = (
        select(Approval.segment)
        .where(Approval.week == str(week), Approval.withdrawn.is_(False))
        .order_by(Approval.segment)
    )
    return tuple(session.scalars(query))
