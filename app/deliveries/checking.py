"""The last look, at most a second before a letter goes: whether it still may, and to whom.

Still confirmed, not suppressed, the mailing still running, admitted by the sender itself, and the
address opens. What must not go is excluded with its reason; what may go is marked as handed to a
connection.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from app.addresses.address import EmailAddress
from app.addresses.admission import AdmittedRow
from app.addresses.index import never_indexes
from app.addresses.keys import Keyring
from app.database import Transaction
from app.deliveries.claiming import Claim
from app.deliveries.kinds import ALERT
from app.deliveries.models import Delivery
from app.deliveries.states import CLAIMED, EXCLUDED, FAILED, PENDING
from app.mailings.models import Mailing
from app.mailings.states import CANCELLED, RUNNING
from app.settings import Mailbox, Recipients
from app.subscribers.farewells import SUPPRESSED, end_suppressed
from app.subscribers.flaws import Flaw, admitted_row, open_row, rows
from app.subscribers.models import CONFIRMED, ServiceLetter, Subscriber, Subscription
from app.subscribers.quarantine import SUBSCRIBER, set_apart
from app.suppressions.reasons import Act
from app.suppressions.standing import anyone, forbidden

UNSUBSCRIBED = "unsubscribed"
CANCELLED_BY_OPERATOR = "cancelled"
WITHDRAWN = "withdrawn"
DAMAGED = "damaged"
NOT_ALLOWED = "not allowed"
EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Ready:
    """A letter that may go now. The address is in plain text here, and nowhere before."""

    claim: Claim
    address: str
    link_id: bytes
    language: str


class Reader(NamedTuple):
    """Whom a letter goes to, still sealed, and the language to use."""

    row: AdmittedRow
    has_ended: bool
    language: str


@dataclass
class Checked:
    """What became of the claims: ready to go, or back in the ledger with the reason."""

    ready: list[Ready] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    ended: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    flawed: dict[bytes, Flaw] = field(default_factory=dict)

    def end(self, claim: Claim, state: str, reason: str) -> None:
        """Give the claim its last state."""
        self.ended.setdefault((state, reason), []).append(claim.delivery_id)


@dataclass(frozen=True)
class Checker:
    """The rules of the last look."""

    keyring: Keyring
    recipients: Recipients
    alerts_to: Mailbox | None

    def check(
        self, session: Transaction, sender_id: int, claims: Sequence[Claim], *, now: datetime
    ) -> list[Ready]:
        """Look at the claims once more; return those that may go. The others are recorded."""
        checked = Checked()
        claims = _still_ours(session, sender_id, claims)
        readers = self._readers(session, claims)
        states = _mailing_states(session, claims)
        for claim in claims:
            self._check_one(claim, readers, states, checked, now)
        self._leave_out_suppressed(session, checked, now)
        if checked.flawed:
            set_apart(session, SUBSCRIBER, checked.flawed, now=now)
        _record(session, sender_id, checked, now)
        return checked.ready

    def _check_one(
        self,
        claim: Claim,
        readers: dict[int, Reader],
        states: dict[int, str],
        checked: Checked,
        now: datetime,
    ) -> None:
        state = states.get(claim.mailing_id or 0, RUNNING)
        row = readers.get(claim.delivery_id)
        if state == CANCELLED:
            checked.end(claim, EXCLUDED, CANCELLED_BY_OPERATOR)
        elif claim.expires_at <= now:
            checked.end(claim, FAILED, EXPIRED)
        elif state != RUNNING:
            checked.released.append(claim.delivery_id)
        elif claim.kind == ALERT:
            self._check_alert(claim, checked)
        elif row is None:
            gone = UNSUBSCRIBED if claim.mailing_id is not None else WITHDRAWN
            checked.end(claim, EXCLUDED, gone)
        else:
            self._open(claim, row, checked)

    def _check_alert(self, claim: Claim, checked: Checked) -> None:
        if self.alerts_to is None:
            checked.end(claim, EXCLUDED, NOT_ALLOWED)
        else:
            checked.ready.append(Ready(claim, self.alerts_to.address, b"", ""))

    def _open(self, claim: Claim, reader: Reader, checked: Checked) -> None:
        address = open_row(self.keyring, reader.row, has_ended=reader.has_ended)
        if isinstance(address, Flaw):
            checked.end(claim, EXCLUDED, DAMAGED)
            checked.flawed[reader.row.row_id] = address
        elif not self.recipients.allow(address.canonical):
            checked.end(claim, EXCLUDED, NOT_ALLOWED)
        else:
            checked.ready.append(Ready(claim, address.wire, reader.row.link_id, reader.language))

    def _leave_out_suppressed(self, session: Transaction, checked: Checked, now: datetime) -> None:
        """Look for the addresses themselves; who is found here all the same is ended soon after."""
        if not anyone(session):
            return
        ready, checked.ready = checked.ready, []
        indexes = [
            () if each.claim.kind == ALERT else self._indexes(each.address) for each in ready
        ]
        asked = list(chain.from_iterable(indexes))
        gone: list[bytes] = []
        barred = forbidden(session, Act.LETTER, asked, today=now.date()).keys()
        for each, own in zip(ready, indexes, strict=True):
            if barred & set(own):
                checked.end(each.claim, EXCLUDED, SUPPRESSED)
                gone.append(each.link_id)
            else:
                checked.ready.append(each)
        end_suppressed(session, gone, today=now.date())

    def _indexes(self, address: str) -> tuple[bytes, ...]:
        return never_indexes(self.keyring.never, EmailAddress(address))

    def _readers(self, session: Session, claims: Iterable[Claim]) -> dict[int, Reader]:
        issues = [claim for claim in claims if claim.mailing_id is not None]
        letters = [claim for claim in claims if claim.letter_id is not None]
        return {**_of_mailings(session, issues), **_of_letters(session, letters)}


def _of_mailings(session: Session, claims: Sequence[Claim]) -> dict[int, Reader]:
    """Return who is still a confirmed reader of the mailing's segment, by delivery."""
    found: dict[int, Reader] = {}
    for mailing_id in {claim.mailing_id for claim in claims}:
        of_this = {c.subscriber_id: c.delivery_id for c in claims if c.mailing_id == mailing_id}
        query = (
            rows()
            .add_columns(Subscriber.language)
            .join(Subscription, Subscription.subscriber_id == Subscriber.id)
            .join(Mailing, Mailing.segment == Subscription.segment)
            .where(
                Subscriber.id.in_([i for i in of_this if i is not None]),
                Subscription.state == CONFIRMED,
                Mailing.id == mailing_id,
            )
        )
        found.update({of_this[row.id]: _reader(row) for row in session.execute(query)})
    return found


def _of_letters(session: Session, claims: Sequence[Claim]) -> dict[int, Reader]:
    """Return who asked for each service letter that is still wanted, by delivery."""
    by_nonce = {claim.letter_id: claim.delivery_id for claim in claims}
    query = (
        rows()
        .add_columns(ServiceLetter.language, ServiceLetter.nonce)
        .join(ServiceLetter, ServiceLetter.subscriber_id == Subscriber.id)
        .where(ServiceLetter.nonce.in_([n for n in by_nonce if n]), ServiceLetter.used.is_(False))
    )
    return {by_nonce[row.nonce]: _reader(row) for row in session.execute(query)}


def _reader(row: Row[*tuple[Any, ...]]) -> Reader:
    return Reader(admitted_row(row), row.has_ended, row.language)


def _still_ours(session: Session, sender_id: int, claims: Sequence[Claim]) -> list[Claim]:
    """Drop the claims that another sender took over, because our lease had run out."""
    query = (
        select(Delivery.id)
        .where(
            Delivery.id.in_([claim.delivery_id for claim in claims]),
            Delivery.claimed_by == sender_id,
            Delivery.state == CLAIMED,
        )
        .with_for_update()
    )
    ours = set(session.scalars(query))
    return [claim for claim in claims if claim.delivery_id in ours]


def _mailing_states(session: Session, claims: Iterable[Claim]) -> dict[int, str]:
    wanted = {claim.mailing_id for claim in claims if claim.mailing_id is not None}
    query = select(Mailing.id, Mailing.state).where(Mailing.id.in_(wanted))
    return {row.id: row.state for row in session.execute(query)}


def _record(session: Transaction, sender_id: int, checked: Checked, now: datetime) -> None:
    def change(ids: list[int], **values: object) -> None:
        session.execute(
            update(Delivery)
            .where(
                Delivery.id.in_(ids), Delivery.claimed_by == sender_id, Delivery.state == CLAIMED
            )
            .values(**values)
            .execution_options(synchronize_session=False)
        )

    handed = [ready.claim.delivery_id for ready in checked.ready]
    if handed:
        change(handed, handed=True, attempted_at=now)
    if checked.released:
        change(checked.released, state=PENDING, claimed_by=None, handed=False)
    for (state, reason), ids in checked.ended.items():
        change(ids, state=state, reason=reason, claimed_by=None, handed=False)
