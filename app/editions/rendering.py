"""An issue as a message, for one segment in one reading language; pure.

The message is the same for every reader but for one slot, the token of the unsubscribe link.
"""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from app.editions.pictures import Shown
from app.editions.truncation import Bodies, fitted
from app.errors import DomainError
from app.issues.content import Commentary, IssueContent, Photo, Text
from app.issues.markup import to_blocks, to_text
from app.languages import phrases, week_range
from app.mail.message.compiler import marker
from app.mail.message.placeholders import find
from app.mail.message.templates import Rendered, one_line
from app.mail.message.templates import render as render_message
from app.newsletter import Newsletter, Segment

UNSUBSCRIBE_TOKEN = 40
PREHEADER_LIMIT = 110
COLUMN = 536  # CSS pixels: 600 less the padding on both sides


class TextMissing(DomainError):
    """A commentary has no text that this segment reads."""


class SlotForged(DomainError):
    """A text of the issue imitates the place where a reader's own link is filled in."""


def render(
    content: IssueContent,
    segment: Segment,
    language: str,
    newsletter: Newsletter,
    public_url: str,
    photos: Mapping[str, Shown] | None = None,
) -> Rendered:
    """Render an issue; raises `TextMissing` if the segment cannot read all of it, or `SlotForged`.

    A commentary without a text in `language` is shown in the segment's next one. `photos` are
    those that the message shows, by id.
    """
    shown = [
        _shown(each, segment, language, newsletter, photos or {}) for each in content.commentaries
    ]
    wholes = [
        to_blocks(shown_text(each, segment, language)[1].body) for each in content.commentaries
    ]
    facts = {
        "newsletter_name": newsletter.name[language],
        "website": newsletter.website,
        "postal_address": newsletter.postal_address[language],
        "week": week_range(content.week.monday, content.week.sunday, language),
        "preheader": preheader([str(each["title"]) for each in shown]),
        "unsubscribe_url": f"{public_url}/unsubscribe/{marker('unsubscribe', UNSUBSCRIBE_TOKEN)}",
        "manage_url": f"{public_url}/manage?language={language}",
        "fetched": any(not each.src.startswith("cid:") for each in (photos or {}).values()),
        **_archive_urls(content, segment, language, public_url),
    }

    def write(bodies: Bodies) -> Rendered:
        commentaries = [
            {
                **each,
                "html": Markup("\n".join(kept)),  # noqa: S704 - only what to_blocks lets through
                "rest_url": f"{facts['web_url']}#commentary-{number}"
                if len(kept) < len(whole)
                else None,
            }
            for number, (each, kept, whole) in enumerate(zip(shown, bodies, wholes, strict=True), 1)
        ]
        return render_message("issue", language, {**facts, "commentaries": commentaries})

    return _with_one_slot(fitted(wholes, write))


def _archive_urls(
    content: IssueContent, segment: Segment, language: str, public_url: str
) -> dict[str, str]:
    """Return the issue's page and the list of all: the same addresses for every reader."""
    archive = f"{public_url}/archive/{segment.id}"
    return {
        "web_url": f"{archive}/{content.week}?language={language}",
        "archive_url": f"{archive}?language={language}",
    }


def _with_one_slot(rendered: Rendered) -> Rendered:
    # A second slot could only come from a text, and in a link to elsewhere it would tell who reads.
    slots = [len(list(find(part.encode()))) for part in (rendered.html, rendered.text)]
    if slots != [1, 1] or any(find(rendered.subject.encode())):
        raise SlotForged
    return rendered


def shown_text(commentary: Commentary, segment: Segment, language: str) -> tuple[str, Text]:
    """Return the text that this edition shows, after its language; raises `TextMissing`."""
    written_in = commentary.language_for(segment.reading_order(language))
    if written_in is None:
        raise TextMissing
    return written_in, commentary.texts[written_in]


def _shown(
    commentary: Commentary,
    segment: Segment,
    language: str,
    newsletter: Newsletter,
    photos: Mapping[str, Shown],
) -> dict[str, object]:
    written_in, text = shown_text(commentary, segment, language)
    return {
        "rubric": newsletter.rubric(commentary.rubric).name[language],
        "verdict": commentary.situation.value,
        "shape": commentary.situation.shape,
        "situation": phrases(language).gettext(commentary.situation.phrase),
        "title": text.title,
        "author": commentary.author,
        "picture": _picture(commentary.photo, segment.reading_order(written_in), photos),
        "credit": commentary.photo.credit if commentary.photo else None,
        "lang": written_in if written_in != language else None,
        "text": to_text(text.body),
    }


def _picture(
    photo: Photo | None, reading_order: Sequence[str], photos: Mapping[str, Shown]
) -> dict[str, object] | None:
    """Return what shows the photo in the column of the message, in CSS pixels."""
    if photo is None or photo.id is None or photo.id not in photos:
        return None
    shown = photos[photo.id]
    width, alt = min(shown.width, COLUMN), photo.alt or {}
    return {
        "src": shown.src,
        "width": width,
        "height": max(1, round(shown.height * width / shown.width)),
        "alt": next((alt[each] for each in reading_order if each in alt), ""),
    }


def preheader(titles: list[str]) -> str:
    """What a list of messages shows beside the subject: titles, cut at a word, ≤ 110 characters."""
    whole = one_line(" · ".join(titles))
    if len(whole) <= PREHEADER_LIMIT:
        return whole
    return whole[: PREHEADER_LIMIT - 1].rsplit(" ", 1)[0].rstrip(" ·,;:–—-") + "…"
