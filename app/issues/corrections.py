"""What readers are told of a launched issue's corrections: dated notes, withdrawn commentaries.

Kept with the issue as JSON. Commentaries are counted from 1, as on the page of the issue.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.errors import DomainError
from app.issues.content import IssueContent, LanguageCode, UnknownLanguage, plain_line
from app.newsletter import Newsletter, Segment

NOTE_LIMIT = 1000  # characters


class NoteMissing(DomainError):
    """Some readers could not read this note."""

    def __init__(self, field: str, segment: Segment) -> None:
        """`field` names the note; `segment` is whose readers have no language of it."""
        languages = ", ".join(segment.languages)
        super().__init__(
            f"{field}: the readers of {segment.label} need it in one of their languages"
            f" ({languages}).",
            field=field,
        )


class NoSuchCommentary(DomainError):
    """The issue has no commentary of this number."""


NoteText = Annotated[str, Field(min_length=1, max_length=NOTE_LIMIT), AfterValidator(plain_line)]
ByLanguage = Annotated[
    dict[LanguageCode, NoteText],
    Field(
        min_length=1,
        max_length=20,
        description="by language",
        examples=[{"en": "The rate in the second paragraph was wrong: it is 9.5%, not 8.5%."}],
        json_schema_extra={"additionalProperties": False},
    ),
]


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True)


class Note(_Kept):
    """What was corrected, and on which day (UTC), by language."""

    day: date
    text: dict[str, str]


class Withdrawn(_Kept):
    """Why a commentary is not shown any more, since which day (UTC), by language."""

    day: date
    reason: dict[str, str]


class Corrections(_Kept):
    """The notes in their order, and the withdrawn commentaries by number."""

    notes: list[Note] = []
    withdrawn: dict[int, Withdrawn] = {}


NO_CORRECTIONS = Corrections()
_NONE = "{}"


def read_corrections(text: str) -> Corrections:
    """Read what is kept with an issue."""
    return NO_CORRECTIONS if text == _NONE else Corrections.model_validate_json(text)


class AllWithdrawn(DomainError):
    """Every commentary of this issue is withdrawn, so there is nothing to send."""


def without_withdrawn(content: IssueContent, corrections: Corrections) -> IssueContent:
    """Return what may still be sent. Raises AllWithdrawn."""
    kept = [
        each
        for number, each in enumerate(content.commentaries, 1)
        if number not in corrections.withdrawn
    ]
    if not kept:
        raise AllWithdrawn
    return content.model_copy(update={"commentaries": kept})


def check_note(
    note: Mapping[str, str], field: str, newsletter: Newsletter, segments: list[Segment]
) -> None:
    """Check that every one of these segments can read a note.

    Raises UnknownLanguage or NoteMissing.
    """
    for language in note:
        if language not in newsletter.languages:
            raise UnknownLanguage(f"{field}.{language}")
    for segment in segments:
        if not any(language in note for language in segment.languages):
            raise NoteMissing(field, segment)


def check_number(content: IssueContent, number: int, field: str) -> None:
    """Raise NoSuchCommentary if the issue has no commentary of this number."""
    if not 1 <= number <= len(content.commentaries):
        raise NoSuchCommentary(
            f"{field}: the issue has commentaries 1 to {len(content.commentaries)}.", field=field
        )
