"""Whom a sign-up is from, and whether we know them; a flawed row on either side is set apart."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, union_all
from sqlalchemy.orm import Session

from app.addresses.address import EmailAddress
from app.addresses.blind_index import known_indexes
from app.addresses.keyring import Keyring
from app.addresses.unsealing import SealBroken, open_sealed
from app.database import Transaction
from app.subscribers.models import DeletedRow, SignUp, Subscriber
from app.subscribers.quarantine import SIGN_UP, SUBSCRIBER, set_apart
from app.subscribers.row_integrity import Flaw, open_selected, rows
from app.subscribers.sign_up import MANAGE


def open_sign_ups(
    session: Transaction, keyring: Keyring, waiting: Sequence[SignUp], *, now: datetime
) -> list[tuple[EmailAddress, SignUp]]:
    """Return the sign-ups with their addresses; what is flawed is set apart and left out."""
    flawed = _put_back(session, [sign_up.id for sign_up in waiting])
    opened = []
    for sign_up in waiting:
        address = flawed.get(sign_up.id) or _opened(keyring, sign_up)
        if isinstance(address, Flaw):
            flawed[sign_up.id] = address
        else:
            opened.append((address, sign_up))
    if flawed:
        set_apart(session, SIGN_UP, flawed, now=now)
    return opened


def _put_back(session: Session, ids: Sequence[bytes]) -> dict[bytes, Flaw]:
    """Find sign-ups that had been admitted before: their ids are, or were, subscribers'."""
    were = select(DeletedRow.id).where(DeletedRow.id.in_(ids))
    seen = session.scalars(union_all(were, select(Subscriber.id).where(Subscriber.id.in_(ids))))
    return dict.fromkeys(seen, Flaw.REPLAYED)


def _opened(keyring: Keyring, sign_up: SignUp) -> EmailAddress | Flaw:
    """Open both seals: or a planted row could be known by one address and mailed at another."""
    try:
        address = open_sealed(keyring.hot_opening, sign_up.id, sign_up.hot)
        if sign_up.wish == MANAGE:
            return address
        kept = open_sealed(keyring.list_opening, sign_up.id, sign_up.sealed or b"")
    except SealBroken:
        return Flaw.BROKEN
    return address if kept == address else Flaw.TWO


def known_subscriber(
    session: Transaction, keyring: Keyring, address: EmailAddress, *, now: datetime
) -> Subscriber | None:
    """Return the subscriber of this address, locked: nobody changes or ends them meanwhile.

    A flawed row that bears its index is deleted: nobody would ever be written to because of it,
    and it would keep the reader out.
    """
    indexes = known_indexes(keyring.index, address)
    for row in session.execute(rows().where(Subscriber.blind_index.in_(indexes))).all():
        flaw = open_selected(keyring, row)
        if not isinstance(flaw, Flaw):
            locked = select(Subscriber).where(Subscriber.id == row.id).with_for_update()
            known = session.scalar(locked.execution_options(populate_existing=True))
            if known is not None:  # else they left at this very moment
                return known
            continue
        set_apart(session, SUBSCRIBER, {row.id: flaw}, now=now)
        session.execute(delete(Subscriber).where(Subscriber.id == row.id))
    return None
