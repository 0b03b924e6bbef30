"""What a segment would get, before and after approval: frozen if it is, rendered if it is not."""

from dataclasses import replace

from sqlalchemy.orm import Session

from app.editions.freezing import EditionUnknown, editions_of
from app.editions.pictures import chosen_for, frozen, load
from app.editions.rendering import render
from app.issues.approval import IssueIncomplete
from app.issues.content import missing_texts
from app.issues.drafting import content_of, find
from app.issues.photos import sizes_of
from app.issues.week import Week
from app.mail.templates import Rendered
from app.newsletter import Newsletter, Segment


def preview(
    session: Session,
    newsletter: Newsletter,
    week: Week,
    segment: Segment,
    *,
    public_url: str,
    language: str | None = None,
) -> Rendered:
    """Return the edition in `language`, or else the segment's first.

    Raises EditionUnknown, IssueUnknown, or IssueIncomplete for a draft the segment cannot read.
    """
    spoken = language or segment.languages[0]
    if spoken not in segment.languages:
        raise EditionUnknown(field="language")
    edition = editions_of(session, str(week), segment.id).get(spoken)
    if edition is not None:
        return frozen(session, edition)
    content = content_of(find(session, week))
    if missing := missing_texts(content, segment):
        raise IssueIncomplete({segment.id: missing})
    chosen = chosen_for(session, content)
    photos = sizes_of(session, chosen)
    rendered = render(content, segment, spoken, newsletter, public_url, photos)
    return replace(rendered, pictures=load(session, chosen))
