"""An issue as a letter, for one segment in one reading language; pure.

The letter is the same for every reader but for one slot, the token of the unsubscribe link.
"""

from markupsafe import Markup

from app.errors import Refusal
from app.issues.content import Commentary, IssueContent
from app.issues.markup import to_html, to_text
from app.languages import phrases, week_range
from app.mail.letter import marker
from app.mail.slots import find
from app.mail.templates import Rendered, one_line
from app.mail.templates import render as render_letter
from app.newsletter import Newsletter, Segment

UNSUBSCRIBE_TOKEN = 40
PREHEADER_LIMIT = 110


class TextMissing(Refusal):
    """A commentary has no text that this segment reads."""


class SlotForged(Refusal):
    """A text of the issue imitates the place where a reader's own link is filled in."""


def render(
    content: IssueContent, segment: Segment, language: str, newsletter: Newsletter, public_url: str
) -> Rendered:
    """Render an issue; raises `TextMissing` if the segment cannot read all of it, or `SlotForged`.

    A commentary without a text in `language` is shown in the segment's next one.
    """
    shown = [_shown(each, segment, language, newsletter) for each in content.commentaries]
    facts = {
        "newsletter_name": newsletter.name[language],
        "website": newsletter.website,
        "postal_address": newsletter.postal_address[language],
        "week": week_range(content.week.monday, content.week.sunday, language),
        "commentaries": shown,
        "preheader": preheader([str(each["title"]) for each in shown]),
        "unsubscribe_url": f"{public_url}/unsubscribe/{marker('unsubscribe', UNSUBSCRIBE_TOKEN)}",
        "manage_url": f"{public_url}/manage",
    }
    return _with_one_slot(render_letter("issue", language, facts))


def _with_one_slot(rendered: Rendered) -> Rendered:
    # A second slot could only come from a text, and in a link to elsewhere it would tell who reads.
    slots = [len(list(find(part.encode()))) for part in (rendered.html, rendered.text)]
    if slots != [1, 1] or any(find(rendered.subject.encode())):
        raise SlotForged
    return rendered


def _shown(
    commentary: Commentary, segment: Segment, language: str, newsletter: Newsletter
) -> dict[str, object]:
    written_in = commentary.language_for(segment.reading_order(language))
    if written_in is None:
        raise TextMissing
    text = commentary.texts[written_in]
    return {
        "rubric": newsletter.rubric(commentary.rubric).name[language],
        "verdict": commentary.situation.value,
        "shape": commentary.situation.shape,
        "situation": phrases(language).gettext(commentary.situation.phrase),
        "title": text.title,
        "author": commentary.author,
        "credit": commentary.photo.credit if commentary.photo else None,
        "lang": written_in if written_in != language else None,
        "html": Markup(to_html(text.body)),  # noqa: S704 - to_html lets only its own tags through
        "text": to_text(text.body),
    }


def preheader(titles: list[str]) -> str:
    """What a list of letters shows beside the subject: titles, cut at a word, ≤ 110 characters."""
    whole = one_line(" · ".join(titles))
    if len(whole) <= PREHEADER_LIMIT:
        return whole
    return whole[: PREHEADER_LIMIT - 1].rsplit(" ", 1)[0].rstrip(" ·,;:–—-") + "…"
