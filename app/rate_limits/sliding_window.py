"""The law of a window: never more than `times` in any window, wherever it begins.

Time is cut into slots, a fifth of the window long. What any window can hold lies in the slot it
ends in and the five before, so their sum is what counts. Nothing finer than a slot is known.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from app.settings import Rate

SLOTS = 5

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def slot_length(rate: Rate) -> timedelta:
    """Return the length of a slot, rounded up: five of them are never shorter than the window."""
    return -(-rate.window // SLOTS)


def slot_at(rate: Rate, now: datetime) -> int:
    """Return the number of the slot in which `now` lies."""
    return (now - _EPOCH) // slot_length(rate)


def open_slots(rate: Rate, now: datetime) -> range:
    """Return the slots that count at `now`, from the oldest to the one it lies in."""
    current = slot_at(rate, now)
    return range(current - SLOTS, current + 1)


def begin_of(rate: Rate, slot: int) -> datetime:
    """Return the instant at which a slot begins."""
    return _EPOCH + slot * slot_length(rate)


def forgotten_at(rate: Rate, slot: int) -> datetime:
    """Return the instant from which a slot counts no more."""
    return begin_of(rate, slot + SLOTS + 1)


def wait(rate: Rate, counts: Sequence[int], now: datetime) -> timedelta:
    """Return how long it is until one more may happen, if nothing does meanwhile.

    `counts` are those of `open_slots(rate, now)`. Zero, if there is room now.
    """
    slots = open_slots(rate, now)
    left = sum(counts)
    if left < rate.times:
        return timedelta(0)
    for slot, count in zip(slots, counts, strict=True):
        left -= count
        if left < rate.times:
            return forgotten_at(rate, slot) - now
    raise ValueError("a rate allows at least one")
