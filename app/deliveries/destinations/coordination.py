"""What senders tell each other of groups through the database, and what each may send now.

Whichever window of a minute or an hour is looked at, and however many senders ask, no group gets
more than its limits, nor more messages at a time than its connections.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.deliveries.destinations.aimd import Speed, after_a_block, halve, increase
from app.deliveries.destinations.block_backoff import Block, block, probe
from app.deliveries.destinations.models import (
    DestinationCount,
    DestinationInFlight,
    DestinationRate,
)
from app.deliveries.ledger.models import Sender
from app.dialects import insert_if_absent, insert_or_add
from app.mail.limits import Limits

# What was not asked for may be asked for so much later, and what is given be used so much later.
BURST = timedelta(seconds=1)
GRANT_LIFETIME = timedelta(seconds=5)
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
# A group of which nothing was heard for so long goes at full speed again.
FORGOTTEN = timedelta(days=1)
# How often it is asked whether an hour holds room again.
_SOMETIMES = timedelta(seconds=30)
_EVER = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class ThrottleRequest:
    """What a sender tells of a group, and how many messages of it wait (`wanted`).

    `under_way` of its messages are at connections. `slower`: it wished that we go slower, at which
    time so many messages a minute went; `away`: it sent us away; `taken`: it took a message.
    """

    name: str
    limits: Limits
    wanted: int = 0
    under_way: int = 0
    slower: float | None = None
    away: bool = False
    taken: bool = False


class ThrottleState(NamedTuple):
    """How a group is written to; None and None: at full speed."""

    speed: Speed | None
    block: Block | None


class ThrottleGrant(NamedTuple):
    """How many of the messages that wait may go now, and how the group stands.

    Before `again_at` there is nothing more to be had.
    """

    messages: int
    standing: ThrottleState
    again_at: datetime


def exchange(
    session: Transaction, asks: Sequence[ThrottleRequest], sender_id: int, *, now: datetime
) -> dict[str, ThrottleGrant]:
    """Tell what we heard, and learn what may go; by name."""
    rows = _locked(session, [ask.name for ask in asks])
    others = _under_way_elsewhere(session, rows, sender_id, now)
    given = {}
    for ask in asks:
        row = rows[ask.name]
        _heed(row, ask, now)
        messages = min(ask.wanted, _free_lines(ask, others.get(ask.name, 0)))
        messages = _in_time(session, row, ask, messages, now)
        standing = standing_of(row)
        until = standing.block.until if standing.block else row.next_at
        if ask.wanted and not messages and ask.limits.per_hour:
            until = max(until, now + _SOMETIMES)
        given[ask.name] = ThrottleGrant(messages, standing, until)
    _hold(session, asks, given, sender_id)
    return given


def _locked(session: Transaction, names: Sequence[str]) -> dict[str, DestinationRate]:
    ordered = sorted(names)
    new = [{"name": each, "next_at": _EVER, "blocked_times": 0} for each in ordered]
    query = (
        select(DestinationRate)
        .where(DestinationRate.name.in_(ordered))
        .order_by(DestinationRate.name)
    )
    locked = query.with_for_update().execution_options(populate_existing=True)
    while True:  # a group that is forgotten between the two is written down once more
        insert_if_absent(session, DestinationRate, new)
        rows = {row.name: row for row in session.scalars(locked)}
        if len(rows) == len(set(ordered)):
            return rows


def _heed(row: DestinationRate, ask: ThrottleRequest, now: datetime) -> None:
    """Apply the laws to what was heard."""
    speed, blocked = standing_of(row)
    if ask.away:
        blocked = block(blocked, now)
    elif ask.taken and blocked is not None:
        speed, blocked = after_a_block(now), None
    if ask.slower is not None:
        speed = halve(speed, ask.slower, now)
    elif ask.taken and speed is not None:
        speed = increase(speed, now)
        most = ask.limits.per_minute
        speed = None if speed and most and speed.per_minute >= most else speed
    _write(row, ThrottleState(speed, blocked))


def standing_of(row: DestinationRate) -> ThrottleState:
    """Read how a group stands."""
    speed = None
    if row.per_minute is not None and row.lowered_at is not None and row.raised_at is not None:
        speed = Speed(row.per_minute, row.was or row.per_minute, row.lowered_at, row.raised_at)
    blocked = Block(row.blocked_until, row.blocked_times) if row.blocked_until else None
    return ThrottleState(speed, blocked)


def _write(row: DestinationRate, standing: ThrottleState) -> None:
    speed, blocked = standing
    row.per_minute = speed.per_minute if speed else None
    row.was = speed.was if speed else None
    row.lowered_at = speed.lowered_at if speed else None
    row.raised_at = speed.raised_at if speed else None
    row.blocked_until = blocked.until if blocked else None
    row.blocked_times = blocked.times if blocked else 0


def _in_time(
    session: Transaction, row: DestinationRate, ask: ThrottleRequest, messages: int, now: datetime
) -> int:
    """Return how many messages the pace, a block and the hour leave."""
    speed, blocked = standing_of(row)
    if blocked is not None:
        probing = probe(blocked, now) if messages else None
        if probing is None:
            return 0
        _write(row, ThrottleState(speed, probing))
        messages = 1
    messages = min(messages, _this_hour(session, ask, now))
    apart = _spacing(ask.limits, speed)
    if apart and messages > 0:
        first = max(row.next_at, now - BURST)
        messages = max(min(messages, (now - first) // apart + 1), 0)
        row.next_at = first + messages * apart if messages else row.next_at
    elif messages > 0:
        row.next_at = now
    if messages > 0 and ask.limits.per_hour:
        minute = now.replace(second=0, microsecond=0) + _MINUTE
        counted = {"name": ask.name, "minute": minute, "count": messages}
        insert_or_add(session, DestinationCount, counted, key=("name", "minute"), add="count")
    return messages


def _spacing(limits: Limits, speed: Speed | None) -> timedelta:
    most = [float(limits.per_minute)] if limits.per_minute else []
    most += [speed.per_minute] if speed else []
    return (_MINUTE + BURST + GRANT_LIFETIME) / min(most) if most else timedelta()


def _this_hour(session: Session, ask: ThrottleRequest, now: datetime) -> int:
    if not ask.limits.per_hour:
        return ask.wanted
    since = now - _HOUR - GRANT_LIFETIME
    query = select(func.sum(DestinationCount.count)).where(
        DestinationCount.name == ask.name, DestinationCount.minute > since
    )
    return max(ask.limits.per_hour - int(session.scalar(query) or 0), 0)


def _under_way_elsewhere(
    session: Session, names: Iterable[str], sender_id: int, now: datetime
) -> dict[str, int]:
    living = select(Sender.id).where(Sender.lease_until > now)
    query = (
        select(DestinationInFlight.name, func.sum(DestinationInFlight.count))
        .where(
            DestinationInFlight.name.in_(list(names)),
            DestinationInFlight.sender_id != sender_id,
            DestinationInFlight.sender_id.in_(living),
        )
        .group_by(DestinationInFlight.name)
    )
    return {name: int(count) for name, count in session.execute(query)}


def _free_lines(ask: ThrottleRequest, elsewhere: int) -> int:
    if ask.limits.connections is None:
        return ask.wanted
    return max(ask.limits.connections - elsewhere - ask.under_way, 0)


def _hold(
    session: Transaction,
    asks: Iterable[ThrottleRequest],
    given: Mapping[str, ThrottleGrant],
    sender_id: int,
) -> None:
    """Write down how many of our messages are under way, where that is limited."""
    counts = {a.name: a.under_way + given[a.name].messages for a in asks if a.limits.connections}
    query = select(DestinationInFlight).where(
        DestinationInFlight.name.in_(list(counts)), DestinationInFlight.sender_id == sender_id
    )
    known = {hold.name: hold for hold in session.scalars(query)}
    for name, count in counts.items():
        if name in known:
            known[name].count = count
        else:
            session.add(DestinationInFlight(name=name, sender_id=sender_id, count=count))


def standings(session: Session) -> dict[str, ThrottleState]:
    """Return every group that is slowed or blocked, by name."""
    query = select(DestinationRate).where(
        DestinationRate.per_minute.is_not(None) | DestinationRate.blocked_until.is_not(None)
    )
    return {row.name: standing_of(row) for row in session.scalars(query)}


def lift(session: Transaction, name: str, *, now: datetime) -> bool:
    """End a block and begin anew and carefully; False if there is none."""
    row = session.get(DestinationRate, name, with_for_update=True)
    if row is None or row.blocked_until is None:
        return False
    _write(row, ThrottleState(after_a_block(now), None))
    return True


def forget_groups(session: Transaction, *, now: datetime) -> int:
    """Delete what no limit reaches any more; return how many rows."""
    session.execute(delete(DestinationCount).where(DestinationCount.minute < now - 2 * _HOUR))
    session.execute(
        delete(DestinationInFlight).where(DestinationInFlight.sender_id.not_in(select(Sender.id)))
    )
    idle = DestinationRate.next_at < now - FORGOTTEN
    heard = (DestinationRate.lowered_at.is_(None)) | (DestinationRate.lowered_at < now - FORGOTTEN)
    free = (DestinationRate.blocked_until.is_(None)) | (
        DestinationRate.blocked_until < now - FORGOTTEN
    )
    # In one statement: what is heard of a group at this moment is looked at before it goes.
    gone = session.execute(
        delete(DestinationRate).where(idle, heard, free).returning(DestinationRate.name),
        execution_options={"synchronize_session": False},
    )
    return len(gone.all())
