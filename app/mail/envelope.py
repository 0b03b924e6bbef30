"""An envelope: who sends, who gets it, and the bytes; safe to be written into SMTP commands."""

import re
from dataclasses import dataclass
from typing import Protocol

from app.errors import Refusal

_PATH = re.compile(r"[!-;=?-~]{1,254}")  # printable ASCII without blanks and angle brackets


class EnvelopeUnsafe(Refusal):
    """An envelope address holds what no SMTP command can carry."""


class Content(Protocol):
    """A letter that is written when it is needed: a thousand that wait take no room."""

    def __bytes__(self) -> bytes: ...
    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Envelope:
    """A letter as a relay is to take it. An empty sender is the null reverse-path.

    Raises EnvelopeUnsafe (RFC 5321 §4.1.2).
    """

    sender: str
    recipient: str
    content: bytes | Content

    @property
    def letter(self) -> bytes:
        """The bytes, written anew each time."""
        return bytes(self.content)

    @property
    def size(self) -> int:
        """How many bytes they are."""
        return len(self.content)

    def __post_init__(self) -> None:
        """Refuse what would be read as another command."""
        if (self.sender and not _PATH.fullmatch(self.sender)) or not _PATH.fullmatch(
            self.recipient
        ):
            raise EnvelopeUnsafe
