"""What the readers' API says of past issues."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field

from app.issues.content import Situation

WeekText = Annotated[str, Field(description="ISO week", examples=["2025-W04"])]
Updated = Annotated[
    datetime, Field(description="when it was corrected or revised last; else as launched_at")
]
ByLanguage = Annotated[dict[str, str], Field(description="by language", examples=[{"en": "…"}])]


class SentHeading(BaseModel):
    """A commentary without its texts."""

    rubric: str
    situation: Situation
    titles: ByLanguage


class SentSummary(BaseModel):
    """An issue without its texts."""

    week: WeekText
    first_day: date
    last_day: date
    launched_at: datetime
    updated_at: Updated
    commentaries: list[SentHeading]


class SentIssues(BaseModel):
    """A segment's issues, the newest first."""

    segment: str
    languages: list[str]
    issues: list[SentSummary]


class SentText(BaseModel):
    """A commentary in one language."""

    title: str
    body: Annotated[str, Field(description="CommonMark, as it was written")]
    html: Annotated[str, Field(description="the same as safe HTML")]


class SentPhoto(BaseModel):
    """A photo. One whose picture is not kept here has only its credit."""

    credit: str
    alt: ByLanguage
    url: Annotated[str | None, Field(description="the same for all readers, and for ever")]
    width: Annotated[int | None, Field(description="pixels")]
    height: Annotated[int | None, Field(description="pixels")]


class SentNote(BaseModel):
    """What readers are told on a day (UTC)."""

    day: date
    text: ByLanguage


class SentCommentary(BaseModel):
    """A commentary in the languages of the segment. Of a withdrawn one nothing is left to read."""

    rubric: str
    situation: Annotated[Situation | None, Field(description="null if it was withdrawn")]
    author: str | None
    photo: SentPhoto | None
    texts: Annotated[dict[str, SentText], Field(description="by language")]
    withdrawn: Annotated[SentNote | None, Field(description="since when, and why")]


class SentIssue(BaseModel):
    """An issue as it was sent to a segment."""

    segment: str
    week: WeekText
    first_day: date
    last_day: date
    launched_at: datetime
    updated_at: Updated
    corrections: Annotated[list[SentNote], Field(description="what was corrected, oldest first")]
    commentaries: list[SentCommentary]


class WeekSituation(BaseModel):
    """A verdict. A rubric with two commentaries in a week has two."""

    week: WeekText
    situation: Situation


class RubricSituation(BaseModel):
    """A rubric's verdicts, the newest week first."""

    rubric: str
    name: ByLanguage
    weeks: list[WeekSituation]


class Situations(BaseModel):
    """Every rubric of the newsletter, in its order, with what was said of it."""

    rubrics: list[RubricSituation]
