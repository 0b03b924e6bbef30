"""Taking in the publisher's list: confirmed without a message, since its readers agreed elsewhere.

Re-runnable: a batch is one transaction, and what is there already is passed over. Of a known
subscriber nothing changes but the segments they lacked. Who is suppressed is passed over. Unless
tombstones are kept, nothing remembers those who left, so a later import could bring them back:
`foresee` tells how many rows would add something.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.addresses.admission import admit_mac
from app.addresses.keyring import Keyring
from app.addresses.sealing import seal
from app.database import Database, Transaction, is_deadlock
from app.dialects import insert_if_absent
from app.errors import DomainError
from app.instance.events import confirmed, tell_witnesses
from app.subscribers.imports.list_batches import Listed, Tally
from app.subscribers.models import (
    CONFIRMED,
    PENDING,
    ConsentText,
    PendingRemoval,
    Subscriber,
    Subscription,
)
from app.suppressions.lookup import forbidden
from app.suppressions.reasons import Act
from app.tokens import new_id, new_link_id

SOURCE = "import"
MAX_CONSENT = 2000
_VERSION = "import-"
# Control characters but line breaks and tabs, and the halves of characters: no database keeps all.
_UNKEPT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

Known = Mapping[bytes, bytes]
"""Ids of subscribers by blind index."""

Held = Mapping[tuple[bytes, str], str]
"""States of subscriptions by subscriber and segment."""


class ConsentMissing(DomainError):
    """--consent must say in 1 to 2000 characters what the readers of this list agreed to."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What the readers of a list agreed to, in the operator's words."""

    text: str

    def __post_init__(self) -> None:
        """Refuse a text that is no evidence of anything, or that a database could not keep."""
        if not self.text.strip() or len(self.text) > MAX_CONSENT or _UNKEPT.search(self.text):
            raise ConsentMissing(field="consent")

    @property
    def version(self) -> str:
        """Its name in every subscription that rests on it."""
        return _VERSION + hashlib.sha256(self.text.encode("utf-8")).hexdigest()[:8]


def may_bring_back(session: Session) -> bool:
    """Tell whether anyone could have left this list: it had readers, or an import, before."""
    imported = select(ConsentText.version).where(ConsentText.version.startswith(_VERSION)).limit(1)
    anyone = select(Subscriber.id).limit(1)
    return session.scalar(imported) is not None or session.scalar(anyone) is not None


def foresee(
    database: Database, batches: Iterable[Sequence[Listed]], tally: Tally, *, today: date
) -> None:
    """Count what `take_in` would do; changes nothing."""
    for listed_batch in batches:
        with database.reading() as session:
            batch = _allowed(session, listed_batch, tally, today)
            known = _known(session, batch)
            leaving = _leaving(session, known)
            held = _held(session, known)
        for listed in batch:
            row_id = _id_of(listed, known)
            if row_id in leaving:
                tally.leave_out()
                continue
            gained = row_id is None or bool(_gained(listed, row_id, held))
            tally.take(new=row_id is None and listed.first, gained=gained)


def take_in(
    database: Database,
    keyring: Keyring,
    batches: Iterable[Sequence[Listed]],
    consent: Consent,
    tally: Tally,
    *,
    now: datetime,
) -> None:
    """Make the readers of the list confirmed subscribers, each batch in a transaction of its own.

    Whoever is new is sealed before the transaction begins, so that it is short.
    """
    for listed_batch in batches:
        with database.reading() as session:
            batch = _allowed(session, listed_batch, tally, now.date())
            known = _known(session, batch)
        new = _sealed(keyring, batch, known, now.date())
        tally.add(_added(database, batch, new, consent, now.date()))


def _allowed(session: Session, batch: Sequence[Listed], tally: Tally, today: date) -> list[Listed]:
    """Leave out and count the lines of whoever must not be brought in by a list."""
    indexes = [index for listed in batch for index in listed.never]
    barred = forbidden(session, Act.IMPORT, indexes, today=today)
    allowed = [listed for listed in batch if not barred.keys() & set(listed.never)]
    tally.suppressed += len(batch) - len(allowed)
    return allowed


def _known(session: Session, batch: Sequence[Listed], *, lock: bool = False) -> dict[bytes, bytes]:
    wanted = [index for listed in batch for index in listed.indexes]
    query = select(Subscriber.blind_index, Subscriber.id).where(Subscriber.blind_index.in_(wanted))
    if lock:  # so that nobody is deleted under our feet
        query = query.order_by(Subscriber.blind_index).with_for_update(read=True, key_share=True)
    return {row.blind_index: row.id for row in session.execute(query)}


def _id_of(listed: Listed, known: Known) -> bytes | None:
    return next((known[index] for index in listed.indexes if index in known), None)


def _leaving(session: Session, known: Known) -> set[bytes]:
    """Return those who left, and whose index the sender has yet to keep."""
    query = select(PendingRemoval.subscriber_id).where(
        PendingRemoval.subscriber_id.in_(known.values())
    )
    return set(session.scalars(query))


def _held(session: Session, known: Known) -> dict[tuple[bytes, str], str]:
    query = select(Subscription.subscriber_id, Subscription.segment, Subscription.state).where(
        Subscription.subscriber_id.in_(known.values())
    )
    return {(row.subscriber_id, row.segment): row.state for row in session.execute(query)}


def _sealed(
    keyring: Keyring, batch: Sequence[Listed], known: Known, today: date
) -> list[dict[str, object]]:
    """Return rows for those who are not known, sorted: two imports at once must not deadlock."""
    rows: list[dict[str, object]] = []
    unknown = [each for each in batch if each.first and _id_of(each, known) is None]
    for listed in sorted(unknown, key=lambda each: each.indexes):
        row_id, link_id = new_id(), new_link_id()
        blob, index = seal(keyring.list_sealing, row_id, listed.row.address), listed.indexes[0]
        rows.append(
            {
                "id": row_id,
                "link_id": link_id,
                "blind_index": index,
                "sealed": blob,
                "admit": admit_mac(keyring.admit, row_id, link_id, index, blob),
                "language": listed.row.language,
                "day": today,
            }
        )
    return rows


def _added(
    database: Database,
    batch: Sequence[Listed],
    new: Sequence[Mapping[str, object]],
    consent: Consent,
    today: date,
) -> Tally:
    """Add a batch, again if need be: a sender goes through the same readers in another order."""
    while True:
        try:
            with database.transaction() as session:
                return _add(session, batch, new, consent, today=today)
        except OperationalError as error:
            if not is_deadlock(error):
                raise


def _add(
    session: Transaction,
    batch: Sequence[Listed],
    new: Sequence[Mapping[str, object]],
    consent: Consent,
    *,
    today: date,
) -> Tally:
    tally = Tally()
    insert_if_absent(session, Subscriber, new)
    known = _known(session, batch, lock=True)
    leaving = _leaving(session, known)
    held = _held(session, known)
    made = {row["id"] for row in new}
    gained: list[tuple[bytes, str]] = []
    for listed in batch:
        row_id = _id_of(listed, known)
        if row_id in leaving:
            tally.leave_out()
            continue
        # Without an id, it is somebody who left between the two looks: let them go.
        gains = [] if row_id is None else _gained(listed, row_id, held)
        tally.take(new=listed.first and row_id in made, gained=bool(gains))
        gained += gains
    if gained:
        _confirm(session, gained, held, consent, today)
    return tally


def _gained(listed: Listed, row_id: bytes, held: Held) -> list[tuple[bytes, str]]:
    """Return the subscriptions that a row adds or confirms."""
    wanted = [(row_id, segment) for segment in listed.segments]
    return [pair for pair in wanted if held.get(pair) != CONFIRMED]


def _confirm(
    session: Transaction,
    gained: Sequence[tuple[bytes, str]],
    held: Held,
    consent: Consent,
    today: date,
) -> None:
    text = {"version": consent.version, "text": consent.text, "day": today}
    insert_if_absent(session, ConsentText, [text])
    rest = {
        "state": CONFIRMED,
        "consent": consent.version,
        "source": SOURCE,
        "confirmed_day": today,
    }
    rows = [
        {"subscriber_id": row_id, "segment": segment, "requested_day": today, **rest}
        for row_id, segment in sorted(gained)
        if (row_id, segment) not in held
    ]
    insert_if_absent(session, Subscription, rows)
    tell_witnesses(session, (confirmed(row_id, segment) for row_id, segment in sorted(gained)))
    pending = [pair for pair in gained if pair in held]
    for segment in sorted({segment for _, segment in pending}):
        session.execute(
            update(Subscription)
            .where(
                Subscription.subscriber_id.in_([i for i, name in pending if name == segment]),
                Subscription.segment == segment,
                Subscription.state == PENDING,
            )
            .values(rest)
            .execution_options(synchronize_session=False)
        )
