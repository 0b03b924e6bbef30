"""The sender takes sign-ups out of the inbox: it alone can read them, and tell whom it knows.

Admitting is idempotent: a row is read, acted upon and deleted in one transaction. What cannot be
opened, or was sealed twice with different addresses, is thrown away and reported; what is
suppressed is thrown away in silence, and nobody gets a letter.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.addresses.address import EmailAddress
from app.addresses.admission import admit_mac
from app.addresses.folding import folded
from app.addresses.index import known_indexes
from app.addresses.keys import Keyring
from app.addresses.sealing import SealBroken, open_sealed
from app.database import Transaction
from app.dialects import insert_if_absent
from app.operators.alerts import alert
from app.settings import Rate
from app.subscribers.asking import ask_to_confirm, say_already_subscribed, send_manage_link
from app.subscribers.models import CONFIRMED, PENDING, SignUp, Subscriber, Subscription
from app.subscribers.restraint import Allow, Restraint, TooManyLetters
from app.subscribers.signing_up import MANAGE
from app.suppressions.reasons import Act
from app.suppressions.standing import forbidden
from app.tokens import new_link_id

NOTICE_EVERY = timedelta(days=30)


def admit(
    session: Transaction,
    keyring: Keyring,
    *,
    rates: Sequence[Rate],
    now: datetime,
    limit: int = 200,
) -> int:
    """Empty the inbox, up to `limit` rows; return how many were taken out of it.

    `rates` are how many letters an address may get. In the order of addresses: two senders that
    count the same ones never wait for each other in a circle.
    """
    waiting = session.scalars(select(SignUp).limit(limit).with_for_update(skip_locked=True)).all()
    restraint = Restraint.of(session, keyring, rates, now)
    for address, sign_up in _all_opened(session, keyring, waiting, now):
        try:
            _admit_one(session, keyring, sign_up, address, restraint.towards(address), now)
        except TooManyLetters:
            restraint.withheld()
        session.flush()
    for sign_up in waiting:
        session.delete(sign_up)
    session.flush()
    return len(waiting)


def _all_opened(
    session: Transaction, keyring: Keyring, waiting: Sequence[SignUp], now: datetime
) -> list[tuple[EmailAddress, SignUp]]:
    opened = []
    for sign_up in waiting:
        try:
            opened.append((_opened(keyring, sign_up), sign_up))
        except SealBroken:
            _report(session, now)
    return sorted(opened, key=lambda each: (folded(each[0]), each[0].canonical))


def _admit_one(
    session: Transaction,
    keyring: Keyring,
    sign_up: SignUp,
    address: EmailAddress,
    allow: Allow,
    now: datetime,
) -> None:
    indexes = known_indexes(keyring.index, address)
    if forbidden(session, Act.ADMISSION, indexes, today=now.date()):
        return
    index = indexes[0]
    known = _known(session, index)
    if sign_up.wish == MANAGE:
        if known is not None:
            send_manage_link(session, keyring, known.id, known.language, now, allow)
    elif known is not None:
        _greet(session, keyring, sign_up, known, allow, now)
    elif not _welcome(session, keyring, sign_up, index, allow, now):
        # Another sender was faster with this address; or the row was planted under a reader's id.
        known = _known(session, index)
        if known is not None:
            _greet(session, keyring, sign_up, known, allow, now)
        else:
            _report(session, now)


def _known(session: Session, index: bytes) -> Subscriber | None:
    return session.scalar(select(Subscriber).where(Subscriber.blind_index == index))


def _report(session: Transaction, now: datetime) -> None:
    text = "A sign-up in the inbox was damaged or planted; it was thrown away."
    alert(session, f"sign-up-damaged-{now.date()}", text, now=now)


def _opened(keyring: Keyring, sign_up: SignUp) -> EmailAddress:
    """Open both seals: or a planted row could be known by one address and mailed at another."""
    address = open_sealed(keyring.hot_opening, sign_up.id, sign_up.hot)
    if sign_up.wish != MANAGE:
        kept = open_sealed(keyring.list_opening, sign_up.id, sign_up.sealed or b"")
        if kept != address:
            raise SealBroken
    return address


def _welcome(
    session: Transaction,
    keyring: Keyring,
    sign_up: SignUp,
    index: bytes,
    allow: Allow,
    now: datetime,
) -> bool:
    """Add the subscriber; tell whether neither the row id nor the address was there before."""
    allow()
    link_id = new_link_id()
    sealed = sign_up.sealed or b""
    row = {
        "id": sign_up.id,
        "link_id": link_id,
        "blind_index": index,
        "sealed": sealed,
        "admit": admit_mac(keyring.admit, sign_up.id, link_id, index, sealed),
        "language": sign_up.language,
        "day": now.date(),
    }
    if not insert_if_absent(session, Subscriber, [row]):
        return False
    wanted = sign_up.segments.split()
    _request(session, sign_up.id, sign_up, wanted, now)
    ask_to_confirm(session, keyring, sign_up.id, wanted, sign_up.language, now.date())
    return True


def _greet(
    session: Transaction,
    keyring: Keyring,
    sign_up: SignUp,
    known: Subscriber,
    allow: Allow,
    now: datetime,
) -> None:
    confirmed = _confirmed_segments(session, known.id)
    wanted = [segment for segment in sign_up.segments.split() if segment not in confirmed]
    if wanted:
        ask_to_confirm(session, keyring, known.id, wanted, sign_up.language, now.date(), allow)
        _request(session, known.id, sign_up, wanted, now)
    elif known.told_day is None or known.told_day <= now.date() - NOTICE_EVERY:
        allow()
        known.told_day = now.date()
        say_already_subscribed(session, known.id, known.language, now)


def _confirmed_segments(session: Session, subscriber_id: bytes) -> set[str]:
    query = select(Subscription.segment).where(
        Subscription.subscriber_id == subscriber_id, Subscription.state == CONFIRMED
    )
    return set(session.scalars(query))


def _request(
    session: Transaction, subscriber_id: bytes, sign_up: SignUp, wanted: list[str], now: datetime
) -> None:
    for segment in wanted:
        session.merge(
            Subscription(
                subscriber_id=subscriber_id,
                segment=segment,
                state=PENDING,
                consent=sign_up.consent,
                source=sign_up.source,
                requested_day=now.date(),
            )
        )
