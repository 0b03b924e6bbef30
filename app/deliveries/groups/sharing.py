"""What senders tell each other of groups through the database, and what each may send now.

Whichever window of a minute or an hour is looked at, and however many senders ask, no group gets
more than its limits, nor more letters at a time than its connections.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.deliveries.groups.blocks import Block, block, probe
from app.deliveries.groups.models import GroupCount, GroupHold, GroupPace
from app.deliveries.groups.speeds import Speed, after_a_block, lower, rise
from app.deliveries.models import Sender
from app.dialects import insert_if_absent, insert_or_add
from app.mail.limits import Limits

# What was not asked for may be asked for so much later, and what is given be used so much later.
BURST = timedelta(seconds=1)
LATE = timedelta(seconds=5)
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
# A group of which nothing was heard for so long goes at full speed again.
FORGOTTEN = timedelta(days=1)
# How often it is asked whether an hour holds room again.
_SOMETIMES = timedelta(seconds=30)
_EVER = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Ask:
    """What a sender tells of a group, and how many letters of it wait (`wanted`).

    `under_way` of its letters are at connections. `slower`: it wished that we go slower, at which
    time so many letters a minute went; `away`: it sent us away; `taken`: it took a letter.
    """

    name: str
    limits: Limits
    wanted: int = 0
    under_way: int = 0
    slower: float | None = None
    away: bool = False
    taken: bool = False


class Standing(NamedTuple):
    """How a group is written to; None and None: at full speed."""

    speed: Speed | None
    block: Block | None


class Given(NamedTuple):
    """How many of the letters that wait may go now, and how the group stands.

    Before `again_at` there is nothing more to be had.
    """

    letters: int
    standing: Standing
    again_at: datetime


def exchange(
    session: Transaction, asks: Sequence[Ask], sender_id: int, *, now: datetime
) -> dict[str, Given]:
    """Tell what we heard, and learn what may go; by name."""
    rows = _locked(session, [ask.name for ask in asks])
    others = _under_way_elsewhere(session, rows, sender_id, now)
    given = {}
    for ask in asks:
        row = rows[ask.name]
        _heed(row, ask, now)
        letters = min(ask.wanted, _free_lines(ask, others.get(ask.name, 0)))
        letters = _in_time(session, row, ask, letters, now)
        standing = standing_of(row)
        until = standing.block.until if standing.block else row.next_at
        if ask.wanted and not letters and ask.limits.per_hour:
            until = max(until, now + _SOMETIMES)
        given[ask.name] = Given(letters, standing, until)
    _hold(session, asks, given, sender_id)
    return given


def _locked(session: Transaction, names: Sequence[str]) -> dict[str, GroupPace]:
    ordered = sorted(names)
    new = [{"name": each, "next_at": _EVER, "blocked_times": 0} for each in ordered]
    query = select(GroupPace).where(GroupPace.name.in_(ordered)).order_by(GroupPace.name)
    locked = query.with_for_update().execution_options(populate_existing=True)
    while True:  # a group that is forgotten between the two is written down once more
        insert_if_absent(session, GroupPace, new)
        rows = {row.name: row for row in session.scalars(locked)}
        if len(rows) == len(set(ordered)):
            return rows


def _heed(row: GroupPace, ask: Ask, now: datetime) -> None:
    """Apply the laws to what was heard."""
    speed, blocked = standing_of(row)
    if ask.away:
        blocked = block(blocked, now)
    elif ask.taken and blocked is not None:
        speed, blocked = after_a_block(now), None
    if ask.slower is not None:
        speed = lower(speed, ask.slower, now)
    elif ask.taken and speed is not None:
        speed = rise(speed, now)
        most = ask.limits.per_minute
        speed = None if speed and most and speed.per_minute >= most else speed
    _write(row, Standing(speed, blocked))


def standing_of(row: GroupPace) -> Standing:
    """Read how a group stands."""
    speed = None
    if row.per_minute is not None and row.lowered_at is not None and row.raised_at is not None:
        speed = Speed(row.per_minute, row.was or row.per_minute, row.lowered_at, row.raised_at)
    blocked = Block(row.blocked_until, row.blocked_times) if row.blocked_until else None
    return Standing(speed, blocked)


def _write(row: GroupPace, standing: Standing) -> None:
    speed, blocked = standing
    row.per_minute = speed.per_minute if speed else None
    row.was = speed.was if speed else None
    row.lowered_at = speed.lowered_at if speed else None
    row.raised_at = speed.raised_at if speed else None
    row.blocked_until = blocked.until if blocked else None
    row.blocked_times = blocked.times if blocked else 0


def _in_time(session: Transaction, row: GroupPace, ask: Ask, letters: int, now: datetime) -> int:
    """Return how many letters the pace, a block and the hour leave."""
    speed, blocked = standing_of(row)
    if blocked is not None:
        probing = probe(blocked, now) if letters else None
        if probing is None:
            return 0
        _write(row, Standing(speed, probing))
        letters = 1
    letters = min(letters, _this_hour(session, ask, now))
    apart = _spacing(ask.limits, speed)
    if apart and letters > 0:
        first = max(row.next_at, now - BURST)
        letters = max(min(letters, (now - first) // apart + 1), 0)
        row.next_at = first + letters * apart if letters else row.next_at
    elif letters > 0:
        row.next_at = now
    if letters > 0 and ask.limits.per_hour:
        minute = now.replace(second=0, microsecond=0) + _MINUTE
        counted = {"name": ask.name, "minute": minute, "count": letters}
        insert_or_add(session, GroupCount, counted, key=("name", "minute"), add="count")
    return letters


def _spacing(limits: Limits, speed: Speed | None) -> timedelta:
    most = [float(limits.per_minute)] if limits.per_minute else []
    most += [speed.per_minute] if speed else []
    return (_MINUTE + BURST + LATE) / min(most) if most else timedelta()


def _this_hour(session: Session, ask: Ask, now: datetime) -> int:
    if not ask.limits.per_hour:
        return ask.wanted
    since = now - _HOUR - LATE
    query = select(func.sum(GroupCount.count)).where(
        GroupCount.name == ask.name, GroupCount.minute > since
    )
    return max(ask.limits.per_hour - int(session.scalar(query) or 0), 0)


def _under_way_elsewhere(
    session: Session, names: Iterable[str], sender_id: int, now: datetime
) -> dict[str, int]:
    living = select(Sender.id).where(Sender.lease_until > now)
    query = (
        select(GroupHold.name, func.sum(GroupHold.count))
        .where(
            GroupHold.name.in_(list(names)),
            GroupHold.sender_id != sender_id,
            GroupHold.sender_id.in_(living),
        )
        .group_by(GroupHold.name)
    )
    return {name: int(count) for name, count in session.execute(query)}


def _free_lines(ask: Ask, elsewhere: int) -> int:
    if ask.limits.connections is None:
        return ask.wanted
    return max(ask.limits.connections - elsewhere - ask.under_way, 0)


def _hold(
    session: Transaction, asks: Iterable[Ask], given: Mapping[str, Given], sender_id: int
) -> None:
    """Write down how many of our letters are under way, where that is limited."""
    counts = {a.name: a.under_way + given[a.name].letters for a in asks if a.limits.connections}
    query = select(GroupHold).where(
        GroupHold.name.in_(list(counts)), GroupHold.sender_id == sender_id
    )
    known = {hold.name: hold for hold in session.scalars(query)}
    for name, count in counts.items():
        if name in known:
            known[name].count = count
        else:
            session.add(GroupHold(name=name, sender_id=sender_id, count=count))


def standings(session: Session) -> dict[str, Standing]:
    """Return every group that is slowed or blocked, by name."""
    query = select(GroupPace).where(
        GroupPace.per_minute.is_not(None) | GroupPace.blocked_until.is_not(None)
    )
    return {row.name: standing_of(row) for row in session.scalars(query)}


def lift(session: Transaction, name: str, *, now: datetime) -> bool:
    """End a block and begin anew and carefully; False if there is none."""
    row = session.get(GroupPace, name, with_for_update=True)
    if row is None or row.blocked_until is None:
        return False
    _write(row, Standing(after_a_block(now), None))
    return True


def forget_groups(session: Transaction, *, now: datetime) -> int:
    """Delete what no limit reaches any more; return how many rows."""
    session.execute(delete(GroupCount).where(GroupCount.minute < now - 2 * _HOUR))
    session.execute(delete(GroupHold).where(GroupHold.sender_id.not_in(select(Sender.id))))
    idle = GroupPace.next_at < now - FORGOTTEN
    heard = (GroupPace.lowered_at.is_(None)) | (GroupPace.lowered_at < now - FORGOTTEN)
    free = (GroupPace.blocked_until.is_(None)) | (GroupPace.blocked_until < now - FORGOTTEN)
    # In one statement: what is heard of a group at this moment is looked at before it goes.
    gone = session.execute(
        delete(GroupPace).where(idle, heard, free).returning(GroupPace.name),
        execution_options={"synchronize_session": False},
    )
    return len(gone.all())
