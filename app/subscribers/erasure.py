"""Erasing somebody at an operator's hand, by the address that they gave: all of it, and now.

Also what still waits in the inbox: or it would be admitted after the erasure.
"""

from datetime import date

from sqlalchemy import delete, select

from app.addresses.address import EmailAddress
from app.addresses.blind_index import known_indexes
from app.addresses.keyring import Keyring
from app.addresses.unsealing import SealBroken, open_sealed
from app.database import Transaction
from app.subscribers.models import SignUp, Subscriber
from app.subscribers.unsubscription import ERASED, end


def erase_address(
    session: Transaction, keyring: Keyring, address: EmailAddress, *, today: date
) -> bool:
    """Delete everything about this address; return whether there was anything."""
    # The inbox first: a sign-up that is just being admitted is waited for, and found below.
    waiting = _waiting(session, keyring, address)
    session.execute(delete(SignUp).where(SignUp.id.in_(waiting)))
    query = select(Subscriber.id).where(
        Subscriber.blind_index.in_(known_indexes(keyring.index, address))
    )
    known = session.scalars(query.with_for_update()).all()
    for subscriber_id in known:
        end(session, subscriber_id, None, ERASED, today=today)
    return bool(known or waiting)


def _waiting(session: Transaction, keyring: Keyring, address: EmailAddress) -> list[bytes]:
    """Return the sign-ups of this address: nothing but opening each can tell."""
    inbox = session.execute(select(SignUp.id, SignUp.hot).execution_options(yield_per=1000))
    return [row.id for row in inbox if _is_of(keyring, row.id, row.hot, address)]


def _is_of(keyring: Keyring, row_id: bytes, hot: bytes, address: EmailAddress) -> bool:
    try:
        return open_sealed(keyring.hot_opening, row_id, hot).canonical == address.canonical
    except SealBroken:
        return False
