"""The messages that a reader asked for: written down with their link's fingerprint, sent later.

The link itself is derived from the row's nonce with the sender's secret: a retry repeats the same
link, and the database could not make one.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.addresses.keyring import Keyring
from app.database import Transaction
from app.subscribers.address_rate_limit import Allow, always
from app.subscribers.models import ServiceMessage
from app.subscribers.service_message_kinds import ALREADY_SUBSCRIBED, CONFIRMATION, MANAGE_LINK
from app.tokens import derive_token, fingerprint, new_id

# A confirmation works through this many days, counted in UTC with the day of the sign-up: between
# 48 and 72 hours. The row then tells no more than the day.
CONFIRMATION_DAYS = 3
MANAGE_LIFE = timedelta(minutes=30)
NOTICE_LIFE = timedelta(days=2)


def midnight_after(today: date, days: int) -> datetime:
    """Return the midnight (UTC) that ends the last of `days` days, the first being `today`."""
    return datetime.combine(today + timedelta(days=days), time(), UTC)


def token_of(keyring: Keyring, kind: str, nonce: bytes) -> str:
    """Return the token of a message's link: 43 characters, the same at every attempt.

    The nonce ends with the id of the key it was made for, so that a rotation changes no link.
    """
    return derive_token(keyring.secret("reader links", nonce[-1]), kind, nonce)


def _ask(session: Transaction, message: ServiceMessage, keyring: Keyring | None) -> None:
    if keyring is not None:
        message.nonce = message.nonce[:-1] + bytes((keyring.admit.kid,))
        token = token_of(keyring, message.kind, message.nonce)
        message.fingerprint = fingerprint(message.kind, token)
    session.add(message)


def ask_to_confirm(
    session: Transaction,
    keyring: Keyring,
    subscriber_id: bytes,
    segments: Sequence[str],
    language: str,
    today: date,
    allow: Allow = always,
) -> bool:
    """Have the reader asked whether they want `segments`; at most once a day for the same ones.

    A newer link for the same segments ends an older one. Returns whether a message will go. Raises
    what `allow` raises; then nothing is changed.
    """
    expires_at = midnight_after(today, CONFIRMATION_DAYS)
    wanted, earlier = set(segments), list(_open_confirmations(session, subscriber_id))
    for message in earlier:
        if set(message.segments.split()) >= wanted and message.expires_at == expires_at:
            return False
    allow()
    for message in earlier:
        if set(message.segments.split()) <= wanted:
            session.delete(message)
    message = _message(CONFIRMATION, subscriber_id, segments, language, expires_at)
    _ask(session, message, keyring)
    return True


def _open_confirmations(session: Session, subscriber_id: bytes) -> Iterable[ServiceMessage]:
    return session.scalars(
        select(ServiceMessage).where(
            ServiceMessage.subscriber_id == subscriber_id,
            ServiceMessage.kind == CONFIRMATION,
            ServiceMessage.used.is_(False),
        )
    ).all()


def send_manage_link(
    session: Transaction,
    keyring: Keyring,
    subscriber_id: bytes,
    language: str,
    now: datetime,
    allow: Allow = always,
) -> bool:
    """Have a link mailed that lives 30 minutes; none while an earlier one still works."""
    if _has_open(session, subscriber_id, MANAGE_LINK, now):
        return False
    allow()
    message = _message(MANAGE_LINK, subscriber_id, (), language, now + MANAGE_LIFE)
    _ask(session, message, keyring)
    return True


def say_already_subscribed(
    session: Transaction, subscriber_id: bytes, language: str, now: datetime
) -> None:
    """Have the reader told that there was nothing to do. This message carries no link of theirs."""
    expires_at = midnight_after(now.date(), NOTICE_LIFE.days)
    _ask(session, _message(ALREADY_SUBSCRIBED, subscriber_id, (), language, expires_at), None)


def _has_open(session: Session, subscriber_id: bytes, kind: str, now: datetime) -> bool:
    query = select(ServiceMessage.nonce).where(
        ServiceMessage.subscriber_id == subscriber_id,
        ServiceMessage.kind == kind,
        ServiceMessage.expires_at > now,
    )
    return session.scalar(query) is not None


def _message(
    kind: str, subscriber_id: bytes, segments: Sequence[str], language: str, expires_at: datetime
) -> ServiceMessage:
    return ServiceMessage(
        nonce=new_id(),
        kind=kind,
        subscriber_id=subscriber_id,
        segments=" ".join(segments),
        language=language,
        expires_at=expires_at,
    )


def forget_expired(session: Transaction, now: datetime) -> None:
    """Delete the messages whose links no longer work."""
    session.execute(delete(ServiceMessage).where(ServiceMessage.expires_at <= now))
