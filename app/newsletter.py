"""What the publisher decides: names, segments, rubrics, website, postal address, consent texts.

One TOML file holds it all, so a newsletter in other languages needs another file and its phrase
catalogues, and no change of code. Every name is there in every language the newsletter is read in.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from app import languages
from app.errors import DomainError
from app.text_safety import is_plain

DEFAULT = Path(__file__).with_name("newsletter.toml")

MOST_NUMBERED = 15
"""How many languages can be told apart in a token."""


def _plain(text: str) -> str:
    if not is_plain(text):
        raise ValueError("Text must hold no line breaks and no control characters")
    return text


Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
Domain = Annotated[str, Field(pattern=r"^[^\W_]+([.-][^\W_]+)*$", max_length=253)]
Plain = AfterValidator(_plain)
Line = Annotated[str, Field(min_length=1, max_length=300), Plain]
Names = dict[Language, Line]


class NewsletterUnreadable(DomainError):
    """The newsletter file cannot be read as TOML in UTF-8."""


class NewsletterMissing(NewsletterUnreadable):
    """There is no such file."""


class NewsletterWrong(DomainError):
    """The newsletter file is not complete or not consistent."""


class UnknownSegment(DomainError):
    """There is no segment of this name."""


class UnknownRubric(DomainError):
    """There is no rubric of this name."""


class Part(BaseModel):
    """A piece of the newsletter file: read once, never changed, no field we do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Consent(Part):
    """What readers agree to, word for word; a new wording is a new version."""

    version: Id
    text: Names


class Segment(Part):
    """The people who get the same edition, and the languages they read, in order."""

    id: Id
    label: Line
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    name: Names

    def reading_order(self, language: str) -> tuple[str, ...]:
        """The segment's languages, this one first if the segment reads it."""
        return tuple(sorted(self.languages, key=lambda each: each != language))

    def reading_language(self, language: str) -> str:
        """The language this segment's edition is in for a subscriber of that language."""
        return self.reading_order(language)[0]


class Rubric(Part):
    """The subject of a commentary."""

    id: Id
    name: Names


class Exposed(Part):
    """Mail domains whose providers can be made to show a mailbox, and what the form says of them.

    The reader's own browser compares; neither an answer nor a row depends on it.
    """

    domains: Annotated[tuple[Domain, ...], Field(min_length=1)]
    hint: Names

    def spellings(self) -> tuple[str, ...]:
        """Every domain as a browser may write it: as it is, and as A-labels (RFC 5890)."""
        lower = [each.lower() for each in self.domains]
        ascii_ = [each.encode("idna").decode("ascii") for each in lower]
        return tuple(dict.fromkeys([*lower, *ascii_]))


class Newsletter(Part):
    """Everything of an installation that readers see and code does not decide."""

    name: Names
    website: Annotated[str, Field(pattern=r"^https://[!-~]+$", max_length=200)]
    postal_address: dict[Language, Annotated[str, Field(min_length=1, max_length=500)]]
    consent: Annotated[tuple[Consent, ...], Field(min_length=1)]
    segments: Annotated[tuple[Segment, ...], Field(min_length=1)]
    rubrics: Annotated[tuple[Rubric, ...], Field(min_length=1)]
    exposed: Exposed | None = None

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read the file, or the one that ships.

        Raises `NewsletterUnreadable` or `NewsletterWrong`, whose sentence names the place in the
        file and never repeats a value.
        """
        try:
            content = tomllib.loads((path or DEFAULT).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NewsletterMissing from None
        except (OSError, ValueError):
            raise NewsletterUnreadable from None
        try:
            return cls.model_validate(content)
        except ValidationError as wrong:
            first = wrong.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(step) for step in first["loc"])
            raise NewsletterWrong(f"{where or 'newsletter'}: {first['msg']}.") from None

    @property
    def languages(self) -> tuple[str, ...]:
        """All languages of all segments, in the order of the file."""
        return tuple(dict.fromkeys(each for one in self.segments for each in one.languages))

    def number_of(self, language: str) -> int:
        """Return the number by which tokens name this language; 0 if it has none."""
        numbered = self.languages[:MOST_NUMBERED]
        return numbered.index(language) + 1 if language in numbered else 0

    def numbered(self, number: int) -> str | None:
        """Return the language of this number, if there is one."""
        return self.languages[number - 1] if 1 <= number <= len(self.languages) else None

    @property
    def current_consent(self) -> Consent:
        """The wording that new readers agree to."""
        return self.consent[-1]

    def segment(self, text: str) -> Segment:
        """Find a segment by its id or label, in any case; raises `UnknownSegment`."""
        wanted = text.strip().casefold()
        for segment in self.segments:
            if wanted in (segment.id, segment.label.casefold()):
                return segment
        raise UnknownSegment

    def rubric(self, id_: str) -> Rubric:
        """Find a rubric by its id; raises `UnknownRubric`."""
        for rubric in self.rubrics:
            if rubric.id == id_:
                return rubric
        raise UnknownRubric

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if unknown := set(self.languages) - set(languages.available()):
            raise ValueError(f"there are no phrases in {', '.join(sorted(unknown))}")
        for where, names in self._all_names():
            if missing := set(self.languages) - set(names):
                raise ValueError(f"{where} is missing in {', '.join(sorted(missing))}")
        self._distinct()
        return self

    def _all_names(self) -> list[tuple[str, dict[str, str]]]:
        return [
            ("name", self.name),
            ("postal_address", self.postal_address),
            *((f"consent {each.version}", each.text) for each in self.consent),
            *((f"segment {each.id}", each.name) for each in self.segments),
            *((f"rubric {each.id}", each.name) for each in self.rubrics),
            *([("exposed", self.exposed.hint)] if self.exposed else []),
        ]

    def _distinct(self) -> None:
        called = [{each.id, each.label.casefold()} for each in self.segments]
        names = [name for each in called for name in each]
        rubrics = [each.id for each in self.rubrics]
        versions = [each.version for each in self.consent]
        for what, all_of_it in (("segments", names), ("rubrics", rubrics), ("consent", versions)):
            if len(set(all_of_it)) < len(all_of_it):
                raise ValueError(f"two {what} have the same name")
