"""Reading a wish against the newsletter: which segments, and which language."""

from collections.abc import Sequence

from app.errors import DomainError
from app.newsletter import Newsletter, UnknownSegment


class LanguageNotOffered(DomainError):
    """The newsletter has no such language."""


def segments_of(newsletter: Newsletter, names: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of the segments named by id or label, each once. Raises UnknownSegment."""
    found = []
    for index, name in enumerate(names):
        try:
            found.append(newsletter.segment(name).id)
        except UnknownSegment:
            raise UnknownSegment(field=f"segments.{index}") from None
    return tuple(dict.fromkeys(found))


def language_of(newsletter: Newsletter, language: str | None, segments: Sequence[str]) -> str:
    """Return the language wanted, or the first of the first segment. Raises LanguageNotOffered."""
    if not language:
        first = newsletter.segment(segments[0]) if segments else newsletter.segments[0]
        return first.languages[0]
    if language not in newsletter.languages:
        raise LanguageNotOffered(field="language")
    return language


def page_language(newsletter: Newsletter, language: str | None, fallback: str) -> str:
    """Return the language of a page: the one asked for if it is offered, else the fallback."""
    return language if language in newsletter.languages else fallback
