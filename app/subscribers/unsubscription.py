"""Leaving: at once, for good, and without a trace but a count.

A valid link of somebody who has left answers as it did the first time: it betrays nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, select

from app.database import Transaction
from app.dialects import insert_ignore, insert_or_add
from app.instance.events import ended as ended_line
from app.instance.events import tell_witnesses
from app.newsletter import Newsletter, Segment
from app.subscribers.deletion_log import remember
from app.subscribers.models import (
    PendingRemoval,
    ServiceMessage,
    Subscriber,
    Subscription,
    UnsubscribeCount,
)
from app.suppressions.reasons import LEFT, REASONS, gravest
from app.tokens import LinkTokens, LinkUnknown, segment_code

UNSUBSCRIBED = "unsubscribed"
ERASED = "erased"
EXPIRED = "never confirmed"


@dataclass(frozen=True)
class Leaving:
    """Whose link it is (an id that means nothing outside), and which segment it ends.

    The language stands in the link. The row that holds it goes with its reader, and the page behind
    a forwarded message would tell who has left by speaking another one.
    """

    link_id: bytes
    segment: Segment
    language: str


def leaving(links: LinkTokens, newsletter: Newsletter, token: str) -> Leaving:
    """Read an unsubscribe link; changes nothing. Raises LinkUnknown."""
    facts = links.open_unsubscribe(token)
    for segment in newsletter.segments:
        if segment_code(segment.id) == facts.segment_code:
            spoken = newsletter.numbered(facts.language) or segment.languages[0]
            return Leaving(facts.link_id, segment, spoken)
    raise LinkUnknown


def unsubscribe(
    session: Transaction,
    leaving: Leaving,
    *,
    today: date,
    everything: bool = False,
    tombstone: date | None = None,
) -> None:
    """End the link's subscription, or all of that reader's; for `tombstone` see `end`."""
    query = select(Subscriber.id).where(Subscriber.link_id == leaving.link_id)
    subscriber_id = session.scalar(query.with_for_update())
    if subscriber_id is not None:
        segments = None if everything else (leaving.segment.id,)
        end(session, subscriber_id, segments, UNSUBSCRIBED, today=today, tombstone=tombstone)


def end(
    session: Transaction,
    subscriber_id: bytes,
    segments: Iterable[str] | None,
    reason: str,
    *,
    today: date,
    tombstone: date | None = None,
) -> None:
    """Delete these subscriptions (None: all) and count them; the last one ends the subscriber.

    With a `tombstone`, the sender keeps the index of who is gone through that day, against lists
    that would bring them back; the subscriber's row goes when it has. So it does if an index is to
    be kept for a graver reason already. Whoever calls this has locked the subscriber's row.
    """
    if not _delete(session, subscriber_id, segments, reason, today):
        return
    if tombstone is not None:
        say_farewell(session, subscriber_id, LEFT, until=tombstone)
    elif _farewell(session, subscriber_id) is None:
        remember(session, subscriber_id, today=today)
        session.execute(delete(Subscriber).where(Subscriber.id == subscriber_id))


def end_and_suppress(
    session: Transaction, subscriber_id: bytes, reason: str, *, until: date | None, today: date
) -> None:
    """End a reader whose index the sender is to keep for this reason, through `until`."""
    _delete(session, subscriber_id, None, reason, today)
    say_farewell(session, subscriber_id, reason, until=until)


def say_farewell(
    session: Transaction, subscriber_id: bytes, reason: str, *, until: date | None
) -> None:
    """Leave the row to the sender, with no link that works any more; the gravest reason stays."""
    messages = ServiceMessage.subscriber_id == subscriber_id
    session.execute(delete(ServiceMessage).where(messages))
    waiting = _farewell(session, subscriber_id)
    if waiting is None:
        row = {"subscriber_id": subscriber_id, "reason": reason, "until": until}
        insert_ignore(session, PendingRemoval, [row])
    elif reason in REASONS and gravest((waiting.reason, reason)) == reason:
        waiting.reason, waiting.until = reason, until
        session.flush()


def _farewell(session: Transaction, subscriber_id: bytes) -> PendingRemoval | None:
    query = select(PendingRemoval).where(PendingRemoval.subscriber_id == subscriber_id)
    return session.scalar(query.execution_options(populate_existing=True))


def _delete(
    session: Transaction,
    subscriber_id: bytes,
    segments: Iterable[str] | None,
    reason: str,
    today: date,
) -> bool:
    """Delete and count subscriptions; tell whether none is left."""
    held = set(
        session.scalars(
            select(Subscription.segment).where(Subscription.subscriber_id == subscriber_id)
        )
    )
    ended = held if segments is None else held & set(segments)
    session.execute(
        delete(Subscription).where(
            Subscription.subscriber_id == subscriber_id, Subscription.segment.in_(ended)
        )
    )
    for segment in sorted(ended):
        row = {"day": today, "segment": segment, "reason": reason, "count": 1}
        insert_or_add(session, UnsubscribeCount, row, key=("day", "segment", "reason"), add="count")
    tell_witnesses(session, (ended_line(subscriber_id, each, today) for each in sorted(ended)))
    return ended == held
