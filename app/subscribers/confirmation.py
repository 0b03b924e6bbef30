"""Double opt-in: the link that proves the request. It acts once, and then says that it did."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.database import Transaction
from app.subscribers.asking import CONFIRMATION
from app.subscribers.models import CONFIRMED, ServiceLetter, Subscriber, Subscription
from app.tokens import LinkUnknown, fingerprint


@dataclass(frozen=True)
class Asked:
    """What a confirmation link asks, and whether it was answered already."""

    segments: tuple[str, ...]
    language: str
    done: bool


def _letter(session: Session, token: str, now: datetime) -> ServiceLetter:
    letter = session.scalar(
        select(ServiceLetter).where(
            ServiceLetter.fingerprint == fingerprint(CONFIRMATION, token),
            ServiceLetter.kind == CONFIRMATION,
            ServiceLetter.expires_at > now,  # here, so that expired costs what unknown does
        ),
        execution_options={"populate_existing": True},
    )
    if letter is None:
        raise LinkUnknown
    return letter


def asked(session: Session, token: str, *, now: datetime) -> Asked:
    """Return what the link asks; changes nothing. Raises LinkUnknown."""
    letter = _letter(session, token, now)
    return Asked(tuple(letter.segments.split()), letter.language, letter.used)


def confirm(session: Transaction, token: str, *, now: datetime) -> Asked:
    """Confirm what the link asks; `done` in the answer if it had been confirmed before.

    Raises LinkUnknown.
    """
    # The subscriber is locked first, as by everybody who ends one, and the letter read once more:
    # it may be replaced, or gone with its reader.
    theirs = Subscriber.id == _letter(session, token, now).subscriber_id
    session.execute(select(Subscriber.id).where(theirs).with_for_update())
    letter = _letter(session, token, now)
    segments = tuple(letter.segments.split())
    # Two clicks at once: the row's own condition lets one of them through.
    taken = _changed(
        session,
        update(ServiceLetter)
        .where(ServiceLetter.nonce == letter.nonce, ServiceLetter.used.is_(False))
        .values(used=True),
    )
    if taken:
        confirmed = _changed(
            session,
            update(Subscription)
            .where(
                Subscription.subscriber_id == letter.subscriber_id,
                Subscription.segment.in_(segments),
            )
            .values(state=CONFIRMED, confirmed_day=now.date()),
        )
        if not confirmed:
            raise LinkUnknown
        session.execute(
            update(Subscriber)
            .where(Subscriber.id == letter.subscriber_id)
            .values(language=letter.language)
        )
    return Asked(segments, letter.language, done=not taken)


def _changed(session: Transaction, statement: object) -> int:
    result: CursorResult[object] = session.execute(statement)  # type: ignore[call-overload]
    return result.rowcount
