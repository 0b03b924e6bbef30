"""What a message that came back says: of whom, which class, why, and to which message it belongs.

Everything in it is what a stranger claims; only a signed return path proves anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.mail.classification import Class, Verdict

LONGEST_TEXT = 300  # characters kept of what was said

# What a report of several recipients is called after: what has consequences comes first.
_GRAVITY = (Class.COMPLAINT, Class.HARD, Class.BLOCK, Class.SOFT, Class.UNKNOWN, Class.DELAYED)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One address that a report names (its domain in lower case, the rest as the report has it).

    `text` is what was said of it, in at most 300 characters, with addresses hidden.
    """

    address: str
    verdict: Verdict
    text: str = ""

    def as_delayed(self) -> "Recipient":
        """Say that the same trouble has only delayed the message so far."""
        seen = self.verdict
        delayed = Verdict(Class.DELAYED, seen.reason, seen.code, seen.status)
        return Recipient(self.address, delayed, self.text)


@dataclass(frozen=True, slots=True)
class Report:
    """A message read. `verdict` is the gravest of its recipients', or the message's own.

    `recipients` are all that it names, also those delivered or delayed; `named` picks those of
    whom the verdict is true. The last four say where it belongs, best first; each may be empty:
    `return_paths` the addresses it was sent to and those the message came from, `envelope_ids`
    (RFC 3461 ENVID), `message_ids` those of the message that came back, `report_id` its own.
    """

    verdict: Verdict
    recipients: tuple[Recipient, ...] = ()
    text: str = ""
    return_paths: tuple[str, ...] = ()
    envelope_ids: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    report_id: str | None = None

    @property
    def class_(self) -> Class:
        """The class of the whole."""
        return self.verdict.class_

    @property
    def named(self) -> tuple[str, ...]:
        """Addresses of whom the class of the whole is true."""
        return tuple(r.address for r in self.recipients if r.verdict.class_ is self.class_)


def gravest(recipients: Sequence[Recipient]) -> Recipient:
    """Pick the first recipient of the gravest class."""
    return min(recipients, key=lambda each: _rank(each.verdict.class_))


def _rank(class_: Class) -> int:
    return _GRAVITY.index(class_) if class_ in _GRAVITY else len(_GRAVITY)
