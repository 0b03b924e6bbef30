"""What an issue says: the shape of its content, and what is refused at the door.

Content is text that will stand in a message's header and body, so no control character, lone
surrogate or bidirectional override passes. Errors name the place and never repeat what stood there.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from app.errors import DomainError
from app.issues.week import NoSuchWeek, Week
from app.newsletter import Newsletter, Segment
from app.text_safety import is_plain
from app.web.openapi import WEEK, names

TITLE_LIMIT = 300
BODY_LIMIT = 65_536


class UnknownLanguage(DomainError):
    """No segment of the newsletter reads this language."""

    def __init__(self, where: str) -> None:
        """`where` is the path of the text, such as `commentaries.0.texts.xx`."""
        super().__init__(f"{where}: no segment of the newsletter reads this language.", field=where)


class UnknownRubric(DomainError):
    """The newsletter has no such rubric."""

    def __init__(self, where: str) -> None:
        """`where` is the path of the rubric, such as `commentaries.0.rubric`."""
        super().__init__(f"{where}: the newsletter has no such rubric.", field=where)


class Situation(StrEnum):
    """The verdict of a commentary: a word and a shape, so that colour never says it alone."""

    BETTER = "better"
    UNCHANGED = "unchanged"
    WORSE = "worse"

    @property
    def shape(self) -> str:
        """The mark that stands before the words."""
        return {"better": "▲", "unchanged": "●", "worse": "▼"}[self.value]

    @property
    def phrase(self) -> str:
        """The sentence in the source language, to be looked up in the phrases."""
        return {
            "better": "The situation has gotten better",
            "unchanged": "The situation has not changed",
            "worse": "The situation has gotten worse",
        }[self.value]


def _clean(allowed: str) -> AfterValidator:
    def check(text: str) -> str:
        if not is_plain(text, allowed=allowed):
            raise PydanticCustomError("characters", "Text must hold no control characters")
        return text

    return AfterValidator(check)


def plain_line(text: str) -> str:
    """Refuse what no line of a page may hold: control characters, or nothing at all."""
    if not is_plain(text):
        raise PydanticCustomError("characters", "Text must hold no control characters")
    return _said(text)


def _said(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "Text must not be blank")
    return text


def _short(text: str) -> str:
    if len(text.encode()) > BODY_LIMIT:
        raise PydanticCustomError("too_long", "Text must be at most 65,536 bytes")
    return text


def _unix(text: object) -> object:
    return text.replace("\r\n", "\n") if isinstance(text, str) else text


def _week(value: object) -> Week:
    try:
        return value if isinstance(value, Week) else Week.parse(str(value))
    except NoSuchWeek as refusal:
        raise PydanticCustomError("week", "{why}", {"why": str(refusal)}) from None


Line = Annotated[
    str, Field(min_length=1, max_length=TITLE_LIMIT), _clean(""), AfterValidator(_said)
]
"""A line of a message: a title, a name, a credit."""

LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
WeekName = Annotated[
    Week,
    PlainValidator(_week),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", **WEEK}),
]


class Part(BaseModel):
    """A piece of an issue; an unknown field is an error, because it would be lost in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Text(Part):
    """A commentary in one language: a title, and a body in CommonMark."""

    title: Line
    body: Annotated[
        str,
        BeforeValidator(_unix),
        Field(min_length=1, max_length=BODY_LIMIT),
        _clean("\n\t"),
        AfterValidator(_said),
        AfterValidator(_short),
    ]


class Photo(Part):
    """A picture's credit; its alternative text and id if it is in the message."""

    credit: Line
    alt: dict[LanguageCode, Line] | None = None
    id: Slug | None = None


class Commentary(Part):
    """One analytical text: its subject, its verdict, and its texts by language."""

    rubric: Annotated[Slug, Field(json_schema_extra=names("rubrics"))]
    situation: Situation
    author: Line | None = None
    photo: Photo | None = None
    texts: Annotated[
        dict[LanguageCode, Text],
        Field(min_length=1, max_length=20, json_schema_extra={"additionalProperties": False}),
    ]

    def language_for(self, reading_order: Iterable[str]) -> str | None:
        """The first language of this order that there is a text in."""
        return next((language for language in reading_order if language in self.texts), None)


class IssueContent(Part):
    """One week's commentaries, in the order of the message."""

    week: WeekName
    commentaries: Annotated[list[Commentary], Field(min_length=1, max_length=30)]


def check_content(content: IssueContent, newsletter: Newsletter) -> None:
    """Refuse what this newsletter does not know: raises `UnknownRubric` or `UnknownLanguage`."""
    rubrics = {rubric.id for rubric in newsletter.rubrics}
    for index, commentary in enumerate(content.commentaries):
        where = f"commentaries.{index}"
        if commentary.rubric not in rubrics:
            raise UnknownRubric(f"{where}.rubric")
        _check_languages(commentary.texts, f"{where}.texts", newsletter)
        if commentary.photo and commentary.photo.alt:
            _check_languages(commentary.photo.alt, f"{where}.photo.alt", newsletter)


def _check_languages(codes: Iterable[str], where: str, newsletter: Newsletter) -> None:
    for code in codes:
        if code not in newsletter.languages:
            raise UnknownLanguage(f"{where}.{code}")


def missing_texts(content: IssueContent, segment: Segment) -> tuple[str, ...]:
    """The commentaries this segment cannot read, as paths such as `commentaries.0.texts`."""
    return tuple(
        f"commentaries.{index}.texts"
        for index, commentary in enumerate(content.commentaries)
        if commentary.language_for(segment.languages) is None
    )


def missing_alts(content: IssueContent, segment: Segment) -> tuple[str, ...]:
    """What photos in the message lack for those who do not see them: `commentaries.0.photo.alt.be`.

    The description is in the language of the text beside it.
    """
    found: dict[str, None] = {}
    for index, commentary in enumerate(content.commentaries):
        if commentary.photo is None or commentary.photo.id is None:
            continue
        for language in segment.languages:
            spoken = commentary.language_for(segment.reading_order(language))
            if spoken is not None and spoken not in (commentary.photo.alt or {}):
                found[f"commentaries.{index}.photo.alt.{spoken}"] = None
    return tuple(found)
