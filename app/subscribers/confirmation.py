"""Double opt-in: the link that proves the request. It acts once, and then says that it did."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.database import Transaction
from app.instance.events import confirmed as confirmed_line
from app.instance.events import tell_witnesses
from app.subscribers.models import CONFIRMED, ServiceMessage, Subscriber, Subscription
from app.subscribers.service_message_kinds import CONFIRMATION
from app.tokens import LinkUnknown, fingerprint


@dataclass(frozen=True)
class Asked:
    """What a confirmation link asks, and whether it was answered already."""

    segments: tuple[str, ...]
    language: str
    done: bool


def _message(session: Session, token: str, now: datetime) -> ServiceMessage:
    message = session.scalar(
        select(ServiceMessage).where(
            ServiceMessage.fingerprint == fingerprint(CONFIRMATION, token),
            ServiceMessage.kind == CONFIRMATION,
            ServiceMessage.expires_at > now,  # here, so that expired costs what unknown does
        ),
        execution_options={"populate_existing": True},
    )
    if message is None:
        raise LinkUnknown
    return message


def asked(session: Session, token: str, *, now: datetime) -> Asked:
    """Return what the link asks; changes nothing. Raises LinkUnknown."""
    message = _message(session, token, now)
    return Asked(tuple(message.segments.split()), message.language, message.used)


def confirm(session: Transaction, token: str, *, now: datetime) -> Asked:
    """Confirm what the link asks; `done` in the answer if it had been confirmed before.

    Raises LinkUnknown.
    """
    # The subscriber is locked first, as by everybody who ends one, and the message read once more:
    # it may be replaced, or gone with its reader.
    theirs = Subscriber.id == _message(session, token, now).subscriber_id
    session.execute(select(Subscriber.id).where(theirs).with_for_update())
    message = _message(session, token, now)
    segments = tuple(message.segments.split())
    # Two clicks at once: the row's own condition lets one of them through.
    taken = _changed(
        session,
        update(ServiceMessage)
        .where(ServiceMessage.nonce == message.nonce, ServiceMessage.used.is_(False))
        .values(used=True),
    )
    if taken:
        confirmed = _changed(
            session,
            update(Subscription)
            .where(
                Subscription.subscriber_id == message.subscriber_id,
                Subscription.segment.in_(segments),
            )
            .values(state=CONFIRMED, confirmed_day=now.date()),
        )
        if not confirmed:
            raise LinkUnknown
        whose = message.subscriber_id
        tell_witnesses(session, (confirmed_line(whose, segment) for segment in segments))
        session.execute(
            update(Subscriber)
            .where(Subscriber.id == message.subscriber_id)
            .values(language=message.language)
        )
    return Asked(segments, message.language, done=not taken)


def _changed(session: Transaction, statement: object) -> int:
    result: CursorResult[object] = session.execute(statement)  # type: ignore[call-overload]
    return result.rowcount
