"""The readers of the trial instance, each with what they should get: invented, one of each kind."""

from collections.abc import Iterator
from typing import NamedTuple

from app.newsletter import Newsletter


class Reader(NamedTuple):
    """Who subscribes to what, in which language."""

    address: str
    segments: tuple[str, ...]
    language: str

    def editions(self, newsletter: Newsletter) -> Iterator[tuple[str, str]]:
        """Yield the segment and the reading language of every message this reader should get."""
        for name in self.segments:
            segment = newsletter.segment(name)
            yield segment.id, segment.reading_language(self.language)


READERS = (
    Reader("anna@example.org", ("en",), "en"),
    Reader("thomas@example.com", ("en",), "en"),
    Reader("ales@example.org", ("be-ru",), "be"),
    Reader("alena@example.net", ("be-ru",), "be"),
    Reader("olga@example.org", ("be-ru",), "ru"),
    Reader("maryja@example.com", ("en", "be-ru"), "be"),
    Reader("pavel@example.net", ("en", "be-ru"), "ru"),
)
