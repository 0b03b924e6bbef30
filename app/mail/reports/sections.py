"""A message taken apart: what its server wrote, what it laid down in fields, what it returned."""

from dataclasses import dataclass

from app.mail.reports.headers import Headers, split_headers
from app.mail.reports.markup import without_markup
from app.mail.reports.notices import notice
from app.mail.reports.parts import Part, read_parts

_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")


@dataclass(frozen=True, slots=True)
class Sections:
    """A message with the parts a reader of reports wants. `enclosed` are headers of messages."""

    headers: Headers
    parts: tuple[Part, ...]
    written: str
    status: str
    enclosed: tuple[Headers, ...]

    def part(self, *types: str) -> Part | None:
        """Give the first part of one of these types."""
        return next((part for part in self.parts if part.type in types), None)

    @property
    def is_report(self) -> str:
        """The kind of multipart/report it is (RFC 6522), in lower case; "" if none."""
        root = self.parts[0]
        return root.parameters.get("report-type", "").lower() if "report" in root.type else ""


def split_sections(message: bytes) -> Sections:
    """Take a message apart."""
    root = read_parts(message)
    parts = tuple(root.walk())
    found = notice(_words(parts))
    enclosed = [inner.headers for part in parts if part.encloses for inner in part.parts]
    enclosed += [split_headers(found.returned)[0]] if found.returned else []
    status = next((part.text for part in parts if part.type in _STATUS_TYPES), "")
    return Sections(root.headers, parts, found.written, status, tuple(enclosed))


def _words(parts: tuple[Part, ...]) -> str:
    """What the message says: its plain text, or its HTML if there is no plain text to speak of.

    Servers also send parts without a type, or a notice in a part of its own after the first.
    """
    plain = [part.text for part in parts[:20] if part.type == "text/plain"]
    words = "\n\n".join(text.strip("\n") for text in plain if text.strip())
    if len(words.strip()) >= 20:
        return words
    marked = [without_markup(part.text) for part in parts[:20] if part.type == "text/html"]
    return "\n\n".join([words, *marked]).strip("\n")
