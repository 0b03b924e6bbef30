"""Opening: sealed addresses become messages that may go. Pure, and the same in whichever process.

Each costs a key exchange, which is most of a message's time: so nothing of the database or of the
web is imported here, and a process of its own can do it (see `openers`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import NamedTuple

from app.addresses.address import EmailAddress
from app.addresses.admission import AdmittedRow
from app.addresses.blind_index import never_index, never_indexes
from app.addresses.keyring import Keyring
from app.addresses.row_faults import Flaw, open_row
from app.addresses.unsealing import SealBroken, open_test_address
from app.deliveries.ledger.reasons import DAMAGED, NOT_ALLOWED, UNFIT
from app.errors import DomainError
from app.mail.dkim.signature import DkimKey, signatures
from app.mail.message.message_template import MessageTemplate
from app.mail.smtp.envelope import checked_path
from app.tokens import NOBODY, message_id


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled message, and what its tokens are made for.

    `week` is 0 for a service message, and `segment` its kind; `language` is the newsletter's number
    of the reader's.
    """

    template: MessageTemplate
    kind: str
    week: int
    segment: str
    language: int


class SealedMessage(NamedTuple):
    """A message to a reader whose address is sealed still; or, without a `row`, to `address`.

    A test message has no `row` either: `test` is the sealed address that an operator gave.

    `message` is its number among the compiled ones of the batch, `nonce` that of a service message,
    `tokens` what fills slots and does not depend on the address.
    """

    message: int
    row: AdmittedRow | None
    has_ended: bool
    nonce: bytes | None
    tokens: Mapping[str, str]
    address: str = ""
    test: bytes | None = None


class PersonalisedMessage(NamedTuple):
    """One reader's message: return path, recipient, what fills the slots, what stands before it.

    `never` are the indexes under which the address may be suppressed, if that was asked.
    """

    sender: str
    recipient: str
    plain: Mapping[str, bytes]
    signatures: bytes
    never: tuple[bytes, ...]


class PersonalisationFailed(NamedTuple):
    """Why a message cannot be made: a reason of the ledger, the row's flaw, words for operators."""

    reason: str
    flaw: Flaw | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is opened together. `never`: whether anybody is suppressed, so that it must be known."""

    compiled: list[Compiled] = field(default_factory=list)
    unopened: list[SealedMessage] = field(default_factory=list)
    never: bool = False


class Domains(NamedTuple):
    """Our own address, and the domains of message ids and return paths."""

    sender: str
    lists: str
    return_path: str


class Personaliser:
    """Holds the keys that opening and signing take."""

    def __init__(
        self,
        keyring: Keyring,
        domains: Domains,
        allowed: frozenset[str] | None = None,
        dkim: Sequence[DkimKey] = (),
    ) -> None:
        """`allowed` are the canonical addresses that may be written to; None: all."""
        self._keyring = keyring
        self._domains = domains
        self._allowed = allowed
        self._dkim = tuple(dkim)

    @property
    def signs_with(self) -> set[tuple[str, str]]:
        """The selectors and DNS records of the keys that sign; without any, the relay signs."""
        return {(key.selector, key.record) for key in self._dkim}

    def signing_with(self, dkim: Sequence[DkimKey]) -> "Personaliser":
        """Return the same opener with other keys to sign with."""
        return Personaliser(self._keyring, self._domains, self._allowed, dkim)

    def open(
        self, batch: Batch, now: datetime
    ) -> list[PersonalisedMessage | PersonalisationFailed]:
        """Open, fill and sign each message of the batch."""
        date, at = format_datetime(now), int(now.timestamp())
        return [self._one(batch, each, date, at) for each in batch.unopened]

    def _one(
        self, batch: Batch, one: SealedMessage, date: str, at: int
    ) -> PersonalisedMessage | PersonalisationFailed:
        address = self._address(one)
        if isinstance(address, PersonalisationFailed):
            return address
        compiled = batch.compiled[one.message]
        try:
            sender, recipient = checked_path(self._return_path(one, compiled)), address.wire
            plain = compiled.template.checked(self._values(one, compiled, address, date))
        except (DomainError, LookupError, TypeError, ValueError) as wrong:
            # One message that cannot be made, whatever the reason, must not stop all others.
            return PersonalisationFailed(
                UNFIT, why=str(wrong) if isinstance(wrong, DomainError) else _named(wrong)
            )
        signed = b""
        if self._dkim:
            template = compiled.template
            head, body = template.write_apart(plain)
            signed = signatures(head, body, self._dkim, at=at, relaxed=template.body_is_relaxed)
        wanted = batch.never and one.row is not None
        never = never_indexes(self._keyring.never, address) if wanted else ()
        return PersonalisedMessage(sender, recipient, plain, signed, never)

    def _address(self, one: SealedMessage) -> EmailAddress | PersonalisationFailed:
        if one.row is None:
            if one.address:
                return EmailAddress(one.address)
            return self._test_address(one)
        address = open_row(self._keyring, one.row, has_ended=one.has_ended)
        if isinstance(address, Flaw):
            return PersonalisationFailed(DAMAGED, address)
        if self._allowed is not None and address.canonical not in self._allowed:
            return PersonalisationFailed(NOT_ALLOWED)
        return address

    def _test_address(self, one: SealedMessage) -> EmailAddress | PersonalisationFailed:
        """Open what an operator gave; who may not be written to does not get a test either."""
        try:
            keys = self._keyring.hot_opening
            address = open_test_address(keys, one.nonce or b"", one.test or b"")
        except SealBroken:
            return PersonalisationFailed(DAMAGED)
        if self._allowed is not None and address.canonical not in self._allowed:
            return PersonalisationFailed(NOT_ALLOWED)
        return address

    def _return_path(self, one: SealedMessage, compiled: Compiled) -> str:
        number, links = _number(one, compiled), self._keyring.links
        if one.row is not None:
            local = links.return_path(one.row.link_id, number, compiled.segment)
        elif one.test is not None:
            # As keyed as a reader's, but of a kind that no bounce reader knows: it concerns nobody.
            local = links.return_path(NOBODY, number, compiled.kind)
        else:
            return self._domains.sender
        return f"{local}@{self._domains.return_path}"

    def _values(
        self, one: SealedMessage, compiled: Compiled, address: EmailAddress, date: str
    ) -> dict[str, str]:
        """Return what fills the slots: what the template has, and no more."""
        values = {"to": address.wire, "date": date, **one.tokens}
        values["message-id"] = f"{self._message_id(one, compiled)}@{self._domains.lists}"
        if one.row is None and one.test is None:
            return values
        link_id = NOBODY if one.row is None else one.row.link_id
        links, slots = self._keyring.links, compiled.template.names
        if "unsubscribe" in slots:
            values["unsubscribe"] = links.unsubscribe(
                link_id, compiled.week, compiled.segment, compiled.language
            )
        if "never" in slots and one.nonce is not None:
            index = never_index(self._keyring.never, address)
            values["never"] = links.never(link_id, one.nonce, index)
        return values

    def _message_id(self, one: SealedMessage, compiled: Compiled) -> str:
        """The same for every attempt, also after the database came back from a backup."""
        if one.row is None:
            return message_id(self._keyring.message_ids, compiled.kind, one.nonce or b"")
        number = _number(one, compiled)
        return self._keyring.links.message_id(one.row.link_id, number, compiled.segment)


def _number(one: SealedMessage, compiled: Compiled) -> int:
    """Say which message of its kind it is: two to the same reader must not share a return path."""
    return compiled.week if one.nonce is None else int.from_bytes(one.nonce[:3], "big")


def _named(error: Exception) -> str:
    return f"the message cannot be made ({type(error).__name__})"
