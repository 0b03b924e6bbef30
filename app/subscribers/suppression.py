"""Suppressing somebody who may be a reader: the index stays, everything else about them goes."""

from datetime import date

from sqlalchemy import select

from app.addresses.address import EmailAddress
from app.addresses.blind_index import known_indexes, never_index
from app.addresses.keyring import Keyring
from app.database import Transaction
from app.subscribers.models import Subscriber
from app.subscribers.unsubscription import end
from app.suppressions.reasons import OPERATOR, last_day
from app.suppressions.requests import take_requests
from app.suppressions.suppressing import suppress


def suppress_address(
    session: Transaction, keyring: Keyring, address: EmailAddress, reason: str, *, today: date
) -> None:
    """Suppress an address, and end what it is subscribed to."""
    index = never_index(keyring.never, address)
    suppress(session, (index,), reason, until=last_day(reason, today))
    known = Subscriber.blind_index.in_(known_indexes(keyring.index, address))
    query = select(Subscriber.id).where(known).with_for_update()
    for subscriber_id in session.scalars(query).all():
        end(session, subscriber_id, None, reason, today=today)


def suppress_requested(session: Transaction, keyring: Keyring, *, today: date) -> int:
    """Do what operators asked for by the API; return how many requests were taken."""
    named = take_requests(session, keyring)
    for address in named:
        suppress_address(session, keyring, address, OPERATOR, today=today)
    return len(named)
