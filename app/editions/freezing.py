"""Freezing: an approved issue becomes what its readers will get, once per segment and language."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_if_absent
from app.editions.lint.rules import Finding, errors_of, examine
from app.editions.models import Edition
from app.editions.pictures import chosen_for, shown, with_pictures, written
from app.editions.rendering import render
from app.errors import DomainError
from app.issues.content import IssueContent
from app.issues.corrections import read_corrections, without_withdrawn
from app.issues.drafting import content_of, find
from app.issues.week import Week
from app.newsletter import Newsletter, Segment


@dataclass(frozen=True, slots=True)
class EditionContext:
    """What an edition is rendered with besides its text; `hosted`: readers fetch the photos."""

    newsletter: Newsletter
    public_url: str
    hosted: bool = False


class EditionFaulty(DomainError):
    """An edition has faults that its readers would meet."""

    def __init__(self, errors: Sequence[Finding]) -> None:
        """`errors` are the findings that block approval."""
        super().__init__("; ".join(map(str, errors)))
        self.facts = {"findings": [asdict(each) for each in errors]}


class EditionUnknown(DomainError):
    """There is no edition of this issue for this segment and language."""


def freeze(
    session: Transaction,
    newsletter: Newsletter,
    week: Week,
    segments: Sequence[str],
    *,
    public_url: str,
    hosted: bool = False,
    anew: bool = False,
    now: datetime,
) -> tuple[Finding, ...]:
    """Render and keep every edition of these segments that is not there yet.

    `hosted`: readers fetch the photos; otherwise messages carry them. `anew`: each becomes the next
    revision, beside what some readers have already.
    Returns what there is to warn of, or raises EditionFaulty with every error of every edition.
    """
    context = EditionContext(newsletter, public_url, hosted)
    issue = find(session, week)
    content = without_withdrawn(content_of(issue), read_corrections(issue.corrections))
    wanted = [newsletter.segment(name) for name in segments]
    rows, found = _rendered(session, context, content, wanted)
    _refuse_faulty(found)
    revisions = {}
    for segment in wanted:
        before = newest_revision(session, str(week), segment.id)
        revisions[segment.id] = before + 1 if anew else before or 1
    whole = [
        {**row, "week": str(week), "revision": revisions[row["segment"]], "frozen_at": now}
        for row in rows
    ]
    insert_if_absent(session, Edition, whole)
    return found


def check_editions(
    session: Session, context: EditionContext, content: IssueContent, segments: Sequence[Segment]
) -> tuple[Finding, ...]:
    """Return what there is to warn of in a content that is not frozen. Raises EditionFaulty."""
    _, found = _rendered(session, context, content, segments)
    _refuse_faulty(found)
    return found


def _rendered(
    session: Session, context: EditionContext, content: IssueContent, segments: Sequence[Segment]
) -> tuple[list[dict[str, Any]], tuple[Finding, ...]]:
    """Render every edition of these segments; return them as rows, and what was found in all."""
    newsletter, public_url = context.newsletter, context.public_url
    chosen = chosen_for(session, content)
    photos = shown(session, chosen, public_url if context.hosted else None)
    rows = []
    found: dict[Finding, None] = {}
    for segment in segments:
        for language in segment.languages:
            rendered = render(content, segment, language, newsletter, public_url, photos)
            rendered = with_pictures(session, rendered, chosen)
            found.update(dict.fromkeys(examine(content, segment, language, rendered, public_url)))
            rows.append(
                {
                    "segment": segment.id,
                    "language": language,
                    "subject": rendered.subject,
                    "html": rendered.html,
                    "text": rendered.text,
                    "photos": written(chosen),
                }
            )
    return rows, tuple(found)


def _refuse_faulty(found: tuple[Finding, ...]) -> None:
    if errors := errors_of(found):
        raise EditionFaulty(errors)


def newest_revision(session: Session, week: str, segment: str) -> int:
    """Return the number of the newest edition of a week for a segment; 0 if there is none."""
    query = select(func.max(Edition.revision)).where(
        Edition.week == week, Edition.segment == segment
    )
    return session.scalar(query) or 0


def editions_of(
    session: Session, week: str, segment: str, revision: int | None = None
) -> dict[str, Edition]:
    """Return the frozen editions of a week for a segment, by reading language.

    Of this `revision`, or else the newest.
    """
    wanted = newest_revision(session, week, segment) if revision is None else revision
    query = select(Edition).where(
        Edition.week == week, Edition.segment == segment, Edition.revision == wanted
    )
    return {edition.language: edition for edition in session.scalars(query)}
