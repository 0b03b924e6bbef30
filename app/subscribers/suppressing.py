"""Suppressing somebody who may be a reader: the index stays, everything else about them goes."""

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import select

from app.addresses.keys import Keyring
from app.database import Transaction
from app.subscribers.models import Subscriber
from app.subscribers.unsubscription import end
from app.suppressions.models import Suppression
from app.suppressions.reasons import NEVER, OPERATOR, Act, forbidding, last_day
from app.suppressions.requests import take_requests
from app.suppressions.standing import standing
from app.suppressions.suppressing import suppress
from app.tokens import NeverFacts

SUPPRESSED = "suppressed"


def never_again(session: Transaction, facts: NeverFacts, *, today: date) -> None:
    """Do what the link of a letter asks: no letter any more, whatever anybody fills in.

    Needs no right to read a blind index: the token holds it, and the link id tells whose it is.
    """
    suppress(session, (facts.blind_index,), NEVER, until=last_day(NEVER, today))
    query = select(Subscriber.id).where(Subscriber.link_id == facts.link_id).with_for_update()
    _end(session, session.scalars(query).all(), NEVER, today)


def suppress_address(
    session: Transaction,
    indexes: Iterable[bytes],
    reason: str,
    *,
    today: date,
    until: date | None = None,
) -> None:
    """Suppress an address by its indexes, newest key first, and end what it is subscribed to."""
    known = list(indexes)
    suppress(session, known[:1], reason, until=until)
    query = select(Subscriber.id).where(Subscriber.blind_index.in_(known)).with_for_update()
    _end(session, session.scalars(query).all(), reason, today)


def suppress_requested(session: Transaction, keyring: Keyring, *, today: date) -> int:
    """Do what operators asked for by the API; return how many requests were taken."""
    named = take_requests(session, keyring)
    for indexes in named:
        suppress_address(session, indexes, OPERATOR, today=today)
    return len(named)


def end_suppressed(session: Transaction, *, today: date, limit: int = 1000) -> int:
    """End readers who are suppressed all the same, as when an old letter's link was used."""
    query = (
        select(Subscriber.id)
        .join(Suppression, Suppression.blind_index == Subscriber.blind_index)
        .where(Suppression.reason.in_(forbidding(Act.LETTER)), standing(today))
        .distinct()
        .limit(limit)
    )
    ids = session.scalars(query).all()
    _end(session, ids, SUPPRESSED, today)
    return len(ids)


def _end(session: Transaction, ids: Sequence[bytes], reason: str, today: date) -> None:
    for subscriber_id in ids:
        end(session, subscriber_id, None, reason, today=today)
