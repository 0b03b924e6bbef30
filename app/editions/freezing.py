"""Freezing: an approved issue becomes what its readers will get, once per segment and language."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_if_absent
from app.editions.models import Edition
from app.editions.rendering import render
from app.errors import Refusal
from app.issues.drafting import content_of, find
from app.issues.week import Week
from app.newsletter import Newsletter


class EditionUnknown(Refusal):
    """There is no edition of this issue for this segment and language."""


def freeze(
    session: Transaction,
    newsletter: Newsletter,
    week: Week,
    segments: Sequence[str],
    *,
    public_url: str,
    now: datetime,
) -> int:
    """Render and keep every edition of these segments that is not there yet; return how many."""
    content = content_of(find(session, week))
    rows = []
    for segment in (newsletter.segment(name) for name in segments):
        for language in segment.languages:
            rendered = render(content, segment, language, newsletter, public_url)
            rows.append(
                {
                    "week": str(week),
                    "segment": segment.id,
                    "language": language,
                    "subject": rendered.subject,
                    "html": rendered.html,
                    "text": rendered.text,
                    "frozen_at": now,
                }
            )
    return insert_if_absent(session, Edition, rows)


def editions_of(session: Session, week: str, segment: str) -> dict[str, Edition]:
    """Return the frozen editions of a week for a segment, by reading language."""
    query = select(Edition).where(Edition.week == week, Edition.segment == segment)
    return {edition.language: edition for edition in session.scalars(query)}
