"""What came back, in one word and a finer one. A value without opinions on what follows from it."""

from dataclasses import dataclass
from enum import StrEnum


class Class(StrEnum):
    """The nine things that can come back."""

    HARD = "hard"  # no such address, it has moved, or it takes no mail
    SOFT = "soft"  # there is one: full, suspended, filtered, out of reach, message too large
    BLOCK = "block"  # we are not wanted: the sender's reputation, set-up, rate or content
    COMPLAINT = "complaint"  # reported as spam (RFC 5965)
    AUTO = "auto"  # an automatic reply (RFC 3834), a receipt
    DELAYED = "delayed"  # still being tried: no failure
    DELIVERED = "delivered"
    NOT_A_BOUNCE = "not-a-bounce"
    UNKNOWN = "unknown"  # it came back, and nobody can say why


@dataclass(frozen=True, slots=True)
class Verdict:
    """A class with its finer reason, and the codes it was read with, as far as there were any.

    `code` is an SMTP reply code, `status` an enhanced one (RFC 3463). `sure` tells that words or
    a code were said that mean nothing else: one such report is enough to act upon.
    """

    class_: Class
    reason: str
    code: int | None = None
    status: str | None = None
    sure: bool = False
