"""A reader changes what they get, sees what is kept about them, or has it erased.

The link proves the mailbox, lives 30 minutes, and can be used more than once in that time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.instance.events import confirmed, tell_witnesses
from app.subscribers.models import (
    CONFIRMED,
    ConsentText,
    ServiceMessage,
    Subscriber,
    Subscription,
)
from app.subscribers.service_message_kinds import CONFIRMATION, MANAGE_LINK
from app.subscribers.unsubscription import ERASED, UNSUBSCRIBED, end
from app.tokens import LinkUnknown, fingerprint


class Mailed(NamedTuple):
    """A message with a link that was asked for: its kind, and the link's last day.

    `used` says whether a link to confirm has acted; a manage link may act again and again.
    """

    kind: str
    last_day: date
    used: bool


@dataclass(frozen=True)
class Kept:
    """All that is kept about a reader under their row. The address is, too: nobody can read it."""

    language: str
    day: date
    subscriptions: tuple[Subscription, ...]
    imported: Mapping[str, str] = field(default_factory=dict)  # words by version, of a list
    told_day: date | None = None
    messages: tuple[Mailed, ...] = ()

    @property
    def confirmed(self) -> tuple[str, ...]:
        """The segments that the reader gets."""
        return tuple(s.segment for s in self.subscriptions if s.state == CONFIRMED)

    def is_proven(self, subscription: Subscription) -> bool:
        """Tell whether a link sent to the mailbox proved the consent, and no list says so."""
        return subscription.state == CONFIRMED and subscription.consent not in self.imported

    def as_record(self, consents: Mapping[str, str], also: Sequence[str] = ()) -> dict[str, object]:
        """The same as data, for the reader to take away.

        `consents` are words by version; `also` says what is kept elsewhere than under their row.
        """
        return {
            "address": "kept sealed; the web server cannot read it",
            "language": self.language,
            "since": self.day.isoformat(),
            "told_already_subscribed": _iso(self.told_day),
            "subscriptions": [self._consent_record(each, consents) for each in self.subscriptions],
            "messages_with_links": [
                {"kind": each.kind, "until": each.last_day.isoformat()}
                | ({"used": each.used} if each.kind == CONFIRMATION else {})
                for each in self.messages
            ],
            "also_kept": list(also),
        }

    def _consent_record(
        self, subscription: Subscription, consents: Mapping[str, str]
    ) -> dict[str, object]:
        return {
            "segment": subscription.segment,
            "state": subscription.state,
            "requested": subscription.requested_day.isoformat(),
            "confirmed": _iso(subscription.confirmed_day),
            "double_opt_in": self.is_proven(subscription),
            "consent": subscription.consent,
            "consent_text": consents.get(subscription.consent),
            "source": subscription.source,
        }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _reader(session: Session, token: str, now: datetime, *, lock: bool = False) -> Subscriber:
    """Return the link's reader; `lock` keeps others from changing or ending them meanwhile."""
    query = (
        select(Subscriber)
        .join(ServiceMessage, ServiceMessage.subscriber_id == Subscriber.id)
        .where(
            ServiceMessage.fingerprint == fingerprint(MANAGE_LINK, token),
            ServiceMessage.kind == MANAGE_LINK,
            ServiceMessage.expires_at > now,
        )
    )
    reader = session.scalar(query)
    if lock and reader is not None:
        session.execute(select(Subscriber.id).where(Subscriber.id == reader.id).with_for_update())
        reader = session.scalar(query.execution_options(populate_existing=True))
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
    query = select(ServiceMessage).where(
        ServiceMessage.subscriber_id == reader.id, ServiceMessage.expires_at > now
    )
    messages = sorted(
        Mailed(each.kind, (each.expires_at - timedelta(seconds=1)).date(), each.used)
        for each in session.scalars(query)
    )
    return Kept(reader.language, reader.day, subscriptions, texts, reader.told_day, tuple(messages))


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
    reader = _reader(session, token, now, lock=True)
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
    row = session.get(Subscription, (subscriber_id, segment), populate_existing=True)
    if row is None:
        row = Subscription(
            subscriber_id=subscriber_id, segment=segment, consent=consent, requested_day=today
        )
        session.add(row)
    if row.state != CONFIRMED:
        row.state, row.confirmed_day = CONFIRMED, today
        tell_witnesses(session, [confirmed(subscriber_id, segment)])


def erase(
    session: Transaction, token: str, *, now: datetime, tombstone: date | None = None
) -> None:
    """Delete everything about the link's reader, but a mark if `end` is to. Raises LinkUnknown."""
    reader = _reader(session, token, now, lock=True)
    end(session, reader.id, None, ERASED, today=now.date(), tombstone=tombstone)
