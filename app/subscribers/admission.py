"""The sender takes sign-ups out of the inbox: it alone can read them, and tell whom it knows.

Admitting is idempotent: a row is read, acted upon and deleted in one transaction. What cannot be
opened, was sealed twice with different addresses or was here before is thrown away and reported;
what is suppressed is thrown away in silence, and nobody gets a message.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.addresses.address import EmailAddress
from app.addresses.admission import admit_mac
from app.addresses.blind_index import blind_index, never_indexes
from app.addresses.keyring import Keyring
from app.addresses.mailbox_normalisation import folded
from app.database import Transaction
from app.dialects import insert_if_absent
from app.settings import Rate
from app.subscribers.address_rate_limit import AddressRateLimit, Allow, TooManyMessages
from app.subscribers.complaint_lifting import lift_when_confirmed
from app.subscribers.matching import known_subscriber, open_sign_ups
from app.subscribers.models import CONFIRMED, PENDING, SignUp, Subscriber, Subscription
from app.subscribers.quarantine import SIGN_UP, set_apart
from app.subscribers.row_integrity import Flaw
from app.subscribers.service_messages import (
    ask_to_confirm,
    say_already_subscribed,
    send_manage_link,
)
from app.subscribers.sign_up import MANAGE
from app.suppressions.lookup import forbidden
from app.suppressions.reasons import Act
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

    `rates` are how many messages an address may get. In the order of addresses: two senders that
    count the same ones never wait for each other in a circle.
    """
    waiting = session.scalars(select(SignUp).limit(limit).with_for_update(skip_locked=True)).all()
    restraint = AddressRateLimit.of(session, keyring, rates, now)
    opened = open_sign_ups(session, keyring, waiting, now=now)
    withheld = 0
    for address, sign_up in sorted(opened, key=lambda each: (folded(each[0]), each[0].canonical)):
        try:
            _admit_one(session, keyring, sign_up, address, restraint.towards(address), now)
        except TooManyMessages:
            withheld += 1
        session.flush()
    for sign_up in waiting:
        session.delete(sign_up)
    session.flush()
    # Last: its row is everybody's, and whoever has it must wait for nobody.
    restraint.withheld(withheld)
    return len(waiting)


def _admit_one(
    session: Transaction,
    keyring: Keyring,
    sign_up: SignUp,
    address: EmailAddress,
    allow: Allow,
    now: datetime,
) -> None:
    never = never_indexes(keyring.never, address)
    if forbidden(session, Act.ADMISSION, never, today=now.date()):
        return
    _admit_allowed(session, keyring, sign_up, address, allow, now)
    if forbidden(session, Act.ISSUE, never, today=now.date()):
        known = known_subscriber(session, keyring, address, now=now)
        if known is not None and not _has_confirmed(session, known.id):
            lift_when_confirmed(session, known.id)


def _has_confirmed(session: Session, subscriber_id: bytes) -> bool:
    """Tell whether an earlier confirmation stands: a sign-up by anybody must not rest on it."""
    query = select(Subscription.segment).where(
        Subscription.subscriber_id == subscriber_id, Subscription.state == CONFIRMED
    )
    return session.scalar(query.limit(1)) is not None


def _admit_allowed(
    session: Transaction,
    keyring: Keyring,
    sign_up: SignUp,
    address: EmailAddress,
    allow: Allow,
    now: datetime,
) -> None:
    known = known_subscriber(session, keyring, address, now=now)
    if sign_up.wish == MANAGE:
        if known is not None:
            send_manage_link(session, keyring, known.id, known.language, now, allow)
    elif known is not None:
        _greet(session, keyring, sign_up, known, allow, now)
    elif not _welcome(session, keyring, sign_up, address, allow, now):
        # Another sender was faster with this address; or the row was planted under a reader's id.
        known = known_subscriber(session, keyring, address, now=now)
        if known is not None:
            _greet(session, keyring, sign_up, known, allow, now)
        else:
            set_apart(session, SIGN_UP, {sign_up.id: Flaw.REPLAYED}, now=now)


def _welcome(
    session: Transaction,
    keyring: Keyring,
    sign_up: SignUp,
    address: EmailAddress,
    allow: Allow,
    now: datetime,
) -> bool:
    """Add the subscriber; tell whether neither the row id nor the address was there before."""
    allow()
    link_id, index = new_link_id(), blind_index(keyring.index, address)
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
