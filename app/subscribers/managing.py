"""A reader changes what they get, sees what is kept about them, or has it erased.

The link proves the mailbox, lives 30 minutes, and can be used more than once in that time.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.subscribers.asking import MANAGE_LINK
from app.subscribers.models import (
    CONFIRMED,
    ConsentText,
    ServiceLetter,
    Subscriber,
    Subscription,
)
from app.subscribers.unsubscription import ERASED, UNSUBSCRIBED, end
from app.tokens import LinkUnknown, fingerprint


@dataclass(frozen=True)
class Kept:
    """All that is kept about a reader. The address is kept too, but nobody here can read it."""

    language: str
    day: date
    subscriptions: tuple[Subscription, ...]
    imported: Mapping[str, str] = field(default_factory=dict)  # words by version, of a list

    @property
    def confirmed(self) -> tuple[str, ...]:
        """The segments that the reader gets."""
        return tuple(s.segment for s in self.subscriptions if s.state == CONFIRMED)

    def as_record(self, consents: Mapping[str, str]) -> dict[str, object]:
        """The same as data, for the reader to take away; `consents` are words by version."""
        return {
            "address": "kept sealed; the web server cannot read it",
            "language": self.language,
            "since": self.day.isoformat(),
            "subscriptions": [
                {
                    "segment": s.segment,
                    "state": s.state,
                    "requested": s.requested_day.isoformat(),
                    "confirmed": s.confirmed_day.isoformat() if s.confirmed_day else None,
                    "consent": s.consent,
                    "consent_text": consents.get(s.consent),
                    "source": s.source,
                }
                for s in self.subscriptions
            ],
        }


def _reader(session: Session, token: str, now: datetime) -> Subscriber:
    query = (
        select(Subscriber)
        .join(ServiceLetter, ServiceLetter.subscriber_id == Subscriber.id)
        .where(
            ServiceLetter.fingerprint == fingerprint(MANAGE_LINK, token),
            ServiceLetter.kind == MANAGE_LINK,
            ServiceLetter.expires_at > now,
        )
    )
    reader = session.scalar(query)
    if reader is None:
        raise LinkUnknown
    return reader


def kept(session: Session, token: str, *, now: datetime) -> Kept:
    """Return what is kept about the link's reader; changes nothing. Raises LinkUnknown."""
    reader = _reader(session, token, now)
    held = session.scalars(
        select(Subscription)
        .where(Subscription.subscriber_id == reader.id)
        .order_by(Subscription.segment)
    )
    subscriptions = tuple(held)
    agreed = {each.consent for each in subscriptions}
    imported = session.scalars(select(ConsentText).where(ConsentText.version.in_(agreed)))
    texts = {each.version: each.text for each in imported}
    return Kept(reader.language, reader.day, subscriptions, texts)


def change(
    session: Transaction,
    token: str,
    *,
    segments: Collection[str],
    language: str,
    consent: str,
    now: datetime,
    tombstone: date | None = None,
) -> bool:
    """Make `segments` the ones that the reader gets; return whether anything is left of them.

    What is added is confirmed at once, since the link proves the mailbox. Raises LinkUnknown.
    """
    reader = _reader(session, token, now)
    reader.language = language
    for segment in segments:
        _confirm(session, reader.id, segment, consent, now.date())
    session.flush()
    held = select(Subscription.segment).where(Subscription.subscriber_id == reader.id)
    dropped = set(session.scalars(held)) - set(segments)
    if dropped:
        end(session, reader.id, dropped, UNSUBSCRIBED, today=now.date(), tombstone=tombstone)
    return bool(segments)


def _confirm(
    session: Transaction, subscriber_id: bytes, segment: str, consent: str, today: date
) -> None:
    row = session.get(Subscription, (subscriber_id, segment))
    if row is None:
        row = Subscription(
            subscriber_id=subscriber_id, segment=segment, consent=consent, requested_day=today
        )
        session.add(row)
    if row.state != CONFIRMED:
        row.state, row.confirmed_day = CONFIRMED, today


def erase(
    session: Transaction, token: str, *, now: datetime, tombstone: date | None = None
) -> None:
    """Delete everything about the link's reader, but a mark if `end` is to. Raises LinkUnknown."""
    reader = _reader(session, token, now)
    end(session, reader.id, None, ERASED, today=now.date(), tombstone=tombstone)
