"""An envelope: who sends, who gets it, and the bytes; safe to be written into SMTP commands."""

import re
from dataclasses import dataclass
from typing import Protocol

from app.errors import DomainError

_PATH = re.compile(r"[!-;=?-~]{1,254}")  # printable ASCII without blanks and angle brackets


def on_the_wire(message: bytes) -> bytes:
    """Stuff dots and add the final one (RFC 5321 §4.5.2). Lines end with CRLF already."""
    stuffed = message.replace(b"\r\n.", b"\r\n..") if b"\r\n." in message else message
    opening = b"." if stuffed.startswith(b".") else b""
    closing = b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n"
    return b"".join((opening, stuffed, closing))


class EnvelopeUnsafe(DomainError):
    """An envelope address holds what no SMTP command can carry."""


def checked_path(path: str) -> str:
    """Return what may stand between angle brackets (RFC 5321 §4.1.2). Raises EnvelopeUnsafe."""
    if not _PATH.fullmatch(path):
        raise EnvelopeUnsafe
    return path


class Content(Protocol):
    """A message that is written when it is needed: a thousand that wait take no room."""

    def __bytes__(self) -> bytes: ...
    def __len__(self) -> int: ...
    def on_the_wire(self, following: bytes = b"") -> bytes:
        """Write it as DATA wants it: dots stuffed, the final one, and what follows that."""
        ...


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message as a relay is to take it. An empty sender is the null reverse-path.

    Raises EnvelopeUnsafe (RFC 5321 §4.1.2).
    """

    sender: str
    recipient: str
    content: bytes | Content

    @property
    def message(self) -> bytes:
        """The bytes, written anew each time."""
        return bytes(self.content)

    def on_the_wire(self, following: bytes = b"") -> bytes:
        """Write them as DATA wants them (RFC 5321 §4.5.2), with what follows the final dot."""
        if isinstance(self.content, bytes):
            return on_the_wire(self.content) + following
        return self.content.on_the_wire(following)

    @property
    def size(self) -> int:
        """How many bytes they are."""
        return len(self.content)

    def __post_init__(self) -> None:
        """Refuse what would be read as another command."""
        if self.sender:
            checked_path(self.sender)
        checked_path(self.recipient)
