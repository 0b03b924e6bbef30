"""An issue as a page shows it, to one segment's readers in one of their languages; pure.

What the segment cannot read is left out: the page of the English edition shows no other text. A
rubric that the newsletter has given up goes by its id, so that old issues stay readable.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from markupsafe import Markup

from app.archive.summaries import Summary, summary_of
from app.issues.content import IssueContent, Photo
from app.issues.corrections import NO_CORRECTIONS, Corrections, Withdrawn
from app.issues.markup import to_html
from app.issues.photos import Hosted
from app.languages import day, phrases
from app.newsletter import Newsletter, Segment, UnknownRubric

_SHORT_WORD = re.compile(r"(?<![\w'’-])(\w) ")


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above a commentary; `lang` only if its text is not in the page's language."""

    anchor: str
    rubric: str
    verdict: str
    shape: str
    situation: str
    title: str
    lang: str | None


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo, and its description; `lang` only if that is not in the page's language."""

    path: str
    width: int
    height: int
    alt: str
    lang: str | None


@dataclass(frozen=True, slots=True)
class Notice:
    """What readers are told on a day; `lang` only if it is not in the page's language."""

    day: str
    text: str
    lang: str | None


@dataclass(frozen=True, slots=True)
class IssueView:
    """A commentary, whole. A photo without a picture has only its credit.

    Of one that was `withdrawn` there is the rubric, and the reason.
    """

    heading: Heading
    author: str | None
    picture: Picture | None
    credit: str | None
    html: Markup
    withdrawn: Notice | None = None


def headings(
    outlines: Sequence[Summary], segment: Segment, language: str, newsletter: Newsletter
) -> list[Heading]:
    """Return the headings of what this segment can read."""
    found = (_heading(*each, segment, language, newsletter) for each in enumerate(outlines, 1))
    return [heading for heading in found if heading is not None]


def issue_views(
    content: IssueContent,
    segment: Segment,
    language: str,
    newsletter: Newsletter,
    photos: Mapping[str, Hosted] | None = None,
    corrections: Corrections = NO_CORRECTIONS,
) -> list[IssueView]:
    """Return what this segment can read of an issue, with its photos, given by their ids."""
    found = []
    for number, commentary in enumerate(content.commentaries, 1):
        heading = _heading(number, summary_of(commentary), segment, language, newsletter)
        if heading is None:
            continue
        if number in corrections.withdrawn:
            found.append(_withdrawn(heading, corrections.withdrawn[number], segment, language))
            continue
        written_in, photo = heading.lang or language, commentary.photo
        picture = _picture(photo, segment.reading_order(written_in), language, photos or {})
        credit = photo.credit if photo else None
        html = _html(commentary.texts[written_in].body)
        found.append(IssueView(heading, commentary.author, picture, credit, html))
    return found


def notices(corrections: Corrections, segment: Segment, language: str) -> list[Notice]:
    """Return the notes on what was corrected, the oldest first."""
    found = (_notice(each.day, each.text, segment, language) for each in corrections.notes)
    return [notice for notice in found if notice is not None]


def _notice(on: date, texts: Mapping[str, str], segment: Segment, language: str) -> Notice | None:
    order = segment.reading_order(language)
    written_in = next((each for each in order if each in texts), None)
    if written_in is None:
        return None
    lang = written_in if written_in != language else None
    return Notice(day(on, language), texts[written_in], lang)


def _withdrawn(heading: Heading, why: Withdrawn, segment: Segment, language: str) -> IssueView:
    """Leave nothing of what it said, its title and verdict included."""
    bare = Heading(heading.anchor, heading.rubric, "", "", "", "", None)
    notice = _notice(why.day, why.reason, segment, language)
    notice = notice or Notice(day(why.day, language), "", None)
    return IssueView(bare, None, None, None, Markup(), notice)


def _picture(
    photo: Photo | None, order: Sequence[str], language: str, photos: Mapping[str, Hosted]
) -> Picture | None:
    if photo is None or photo.id is None or photo.id not in photos:
        return None
    shown, alt = photos[photo.id], photo.alt or {}
    described_in = next((each for each in order if each in alt), language)
    lang = described_in if described_in != language else None
    return Picture(shown.path, shown.width, shown.height, alt.get(described_in, ""), lang)


def _heading(
    number: int, told: Summary, segment: Segment, language: str, newsletter: Newsletter
) -> Heading | None:
    order = segment.reading_order(language)
    written_in = next((each for each in order if each in told.titles), None)
    if written_in is None:
        return None
    return Heading(
        anchor=f"commentary-{number}",
        rubric=rubric_name(newsletter, told.rubric, language),
        verdict=told.situation.value,
        shape=told.situation.shape,
        situation=phrases(language).gettext(told.situation.phrase),
        title=bound(told.titles[written_in]),
        lang=written_in if written_in != language else None,
    )


def rubric_name(newsletter: Newsletter, rubric: str, language: str) -> str:
    """Return the rubric's name, or its id if the newsletter has it no more."""
    try:
        return newsletter.rubric(rubric).name[language]
    except UnknownRubric:
        return rubric


def bound(title: str) -> str:
    """Keep one-letter words with the next word, and dashes with the one before."""
    return _SHORT_WORD.sub("\\1\u00a0", title).replace(" —", "\u00a0—").replace(" –", "\u00a0–")


@lru_cache(maxsize=200)  # texts: the feeds of three languages; rendering is what costs here
def _html(body: str) -> Markup:
    return Markup(to_html(body))  # noqa: S704 - to_html lets only its own tags through
