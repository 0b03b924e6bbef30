"""How fast a group of domains is written to when it asked for less: AIMD. Pure.

At a wish to go slower the speed is halved at once; while nobody complains it comes back step by
step, and above the speed of the last complaint by a quarter at a time, to full speed in the end.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

SLOWEST = 1.0  # messages a minute
FASTEST = 10_000.0  # messages a minute: faster than this is full speed
FIRST = 30.0  # messages a minute, after a block
# Messages that were on their way when it was slowed complain too; they are not heard twice.
SETTLES = timedelta(seconds=30)
STEP = timedelta(seconds=60)
_UP = 1.25


@dataclass(frozen=True, slots=True)
class Speed:
    """Messages `per_minute`, and what it was at the last complaint (`was`)."""

    per_minute: float
    was: float
    lowered_at: datetime
    raised_at: datetime


def halve(speed: Speed | None, went: float, now: datetime) -> Speed:
    """Halve the speed. `went`: letters of the last minute, where there was no limit (None)."""
    if speed is None:
        was = min(max(went, 2 * SLOWEST), FASTEST)
    elif now - speed.lowered_at < SETTLES:
        return speed
    else:
        was = speed.per_minute
    return Speed(max(was / 2, SLOWEST), was, lowered_at=now, raised_at=now)


def increase(speed: Speed, now: datetime) -> Speed | None:
    """Go a step faster if a message was taken and enough time has passed; None: full speed."""
    if now - max(speed.lowered_at, speed.raised_at) < STEP:
        return speed
    if speed.per_minute < speed.was:
        faster = min(speed.per_minute + max(speed.was / 10, SLOWEST), max(speed.was, SLOWEST))
    else:
        faster = max(speed.per_minute * _UP, speed.per_minute + SLOWEST)
    return replace(speed, per_minute=faster, raised_at=now) if faster < FASTEST else None


def after_a_block(now: datetime) -> Speed:
    """Begin anew and carefully, when a probe was taken."""
    return Speed(FIRST, FIRST, lowered_at=now, raised_at=now)
