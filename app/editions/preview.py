"""What a segment would get, before and after approval: frozen if it is, rendered if it is not."""

from sqlalchemy.orm import Session

from app.editions.freezing import EditionUnknown, editions_of
from app.editions.rendering import render
from app.issues.approval import IssueIncomplete
from app.issues.content import missing_texts
from app.issues.drafting import content_of, find
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
    frozen = editions_of(session, str(week), segment.id).get(spoken)
    if frozen is not None:
        return Rendered(frozen.subject, frozen.html, frozen.text)
    content = content_of(find(session, week))
    if missing := missing_texts(content, segment):
        raise IssueIncomplete({segment.id: missing})
    return render(content, segment, spoken, newsletter, public_url)
