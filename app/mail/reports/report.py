"""What a message that came back says: of whom, which class, why, and to which letter it belongs.

Everything in it is what a stranger claims; only a signed return path proves anything.
"""

from dataclasses import dataclass

from app.mail.verdicts import Class, Verdict


@dataclass(frozen=True, slots=True)
class Recipient:
    """One address that a report names (lower case domain, as the report spells the rest).

    `text` is what was said of it, in at most 300 characters, with addresses hidden.
    """

    address: str
    verdict: Verdict
    text: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A message read. `verdict` is the gravest of its recipients', or the message's own.

    `recipients` are all that it names, also those delivered or delayed; `named` picks those of
    whom the verdict is true. The last four say where it belongs, best first; each may be empty:
    `return_paths` the addresses it was sent to and those the letter came from, `envelope_ids`
    (RFC 3461 ENVID), `message_ids` those of the letter that came back, `report_id` its own.
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
