"""Freezing: an approved issue becomes what its readers will get, once per segment and language."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_if_absent
from app.editions.lint.rules import Finding, errors_of, examine
from app.editions.models import Edition
from app.editions.pictures import chosen_for, shown, with_pictures, written
from app.editions.rendering import render
from app.errors import DomainError
from app.issues.drafting import content_of, find
from app.issues.week import Week
from app.newsletter import Newsletter


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
    content = content_of(find(session, week))
    chosen = chosen_for(session, content)
    photos = shown(session, chosen, public_url if hosted else None)
    rows = []
    found: dict[Finding, None] = {}
    for segment in (newsletter.segment(name) for name in segments):
        before = newest_revision(session, str(week), segment.id)
        revision = before + 1 if anew else before or 1
        for language in segment.languages:
            rendered = render(content, segment, language, newsletter, public_url, photos)
            rendered = with_pictures(session, rendered, chosen)
            found.update(dict.fromkeys(examine(content, segment, language, rendered, public_url)))
            rows.append(
                {
                    "week": str(week),
                    "segment": segment.id,
                    "language": language,
                    "revision": revision,
                    "subject": rendered.subject,
                    "html": rendered.html,
                    "text": rendered.text,
                    "photos": written(chosen),
                    "frozen_at": now,
                }
            )
    if errors := errors_of(tuple(found)):
        raise EditionFaulty(errors)
    insert_if_absent(session, Edition, rows)
    return tuple(found)


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
