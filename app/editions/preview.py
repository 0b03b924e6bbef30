"""What a segment would get, before and after approval: frozen if it is, rendered if it is not.

A preview carries its photos, also those that readers will fetch: before the launch nobody can.
"""

from dataclasses import replace

from sqlalchemy.orm import Session

from app.editions.freezing import EditionUnknown, editions_of
from app.editions.pictures import carrying, chosen_for, frozen_inside, shown
from app.editions.rendering import render
from app.issues.approval import IssueIncomplete
from app.issues.content import missing_texts
from app.issues.drafting import content_of, find
from app.issues.week import Week
from app.mail.message.compiler import marker
from app.mail.message.templates import Rendered
from app.newsletter import Newsletter, Segment
from app.tokens import UNSUBSCRIBE_LENGTH


def preview(
    session: Session,
    newsletter: Newsletter,
    week: Week,
    segment: Segment,
    *,
    public_url: str,
    hosted: bool = False,
    language: str | None = None,
) -> Rendered:
    """Return the edition in `language`, or else the segment's first; `hosted` as for `freeze`.

    Raises EditionUnknown, IssueUnknown, or IssueIncomplete for a draft the segment cannot read.
    """
    spoken = language or segment.languages[0]
    if spoken not in segment.languages:
        raise EditionUnknown(field="language")
    edition = editions_of(session, str(week), segment.id).get(spoken)
    if edition is not None:
        return frozen_inside(session, edition)
    content = content_of(find(session, week))
    if missing := missing_texts(content, segment):
        raise IssueIncomplete({segment.id: missing})
    chosen = chosen_for(session, content)
    photos = shown(session, chosen, public_url if hosted else None)
    rendered = render(content, segment, spoken, newsletter, public_url, photos)
    return carrying(session, rendered, chosen)


def to_look_at(rendered: Rendered) -> Rendered:
    """Return the edition as eyes should see it: its unsubscribe link is nobody's, and says so."""
    slot, word = marker("unsubscribe", UNSUBSCRIBE_LENGTH), "preview"
    return replace(
        rendered, html=rendered.html.replace(slot, word), text=rendered.text.replace(slot, word)
    )
