"""Values of words and numbers, read from the text that an operator wrote.

A reader raises `Unfit`, which says what the value should be and never repeats it.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple


class InvalidValue(ValueError):
    """A value's text cannot be used; says what it should be, and never repeats it."""


def text(value: str) -> str:
    """Take the text as it stands."""
    return value


def separated(value: str) -> tuple[str, ...]:
    """Split at commas; empty words are left out."""
    return tuple(word.strip() for word in value.split(",") if word.strip())


def sender_addresses(value: str) -> tuple[str, ...]:
    """Split at commas, into addresses that a From field may hold; in lower case."""
    found = separated(value.lower())
    for each in found:
        if not _ADDRESS.fullmatch(each):
            raise InvalidValue("must be addresses, separated by commas")
    return found


def some_words(value: str) -> tuple[str, ...]:
    """Split at commas; one word at least."""
    words = separated(value)
    if not words:
        raise InvalidValue("must name at least one")
    return words


def count(value: str) -> int:
    """Read a whole number from 1 to 1000."""
    if not re.fullmatch(r"[0-9]{1,4}", value) or not 1 <= int(value) <= 1000:
        raise InvalidValue("must be a whole number from 1 to 1000")
    return int(value)


_ADDRESS = re.compile(r"[a-z0-9.+_-]{1,64}@[a-z0-9.-]{1,253}")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(value: str) -> timedelta:
    """Read a duration: a number with s, m, h or d."""
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", value.strip())
    if not match or int(match[1]) == 0:
        raise InvalidValue("must be a duration such as 90s, 30m, 12h or 30d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def optional_duration(value: str) -> timedelta | None:
    """Read a duration, or nothing."""
    return duration(value) if value else None


SHORTEST_STOP, LONGEST_STOP = timedelta(seconds=1), timedelta(minutes=10)


def stop_time(value: str) -> timedelta:
    """Read how long a stop may take."""
    within = duration(value)
    if not SHORTEST_STOP <= within <= LONGEST_STOP:
        raise InvalidValue("must be a duration from 1s to 10m")
    return within


LONGEST_WINDOW = timedelta(days=6)
"""Over how long a mailing may be spread: the week after has its own issue."""


def optional_window(value: str) -> timedelta | None:
    """Read the window of a mailing, or nothing."""
    window = optional_duration(value)
    if window is not None and window > LONGEST_WINDOW:
        raise InvalidValue(f"must be a duration of at most {LONGEST_WINDOW.days} days, such as 3h")
    return window


def one_of(*choices: str) -> Callable[[str], str]:
    """Make a reader of one of these words."""

    def chosen(value: str) -> str:
        if value not in choices:
            raise InvalidValue(f"must be {' or '.join(choices)}")
        return value

    return chosen


class Rate(NamedTuple):
    """So many times in any window of this length."""

    times: int
    window: timedelta


def rates(value: str) -> tuple[Rate, ...]:
    """Read rates such as `20/10m`, with commas between; `off` is none."""
    if value.strip() == "off":
        return ()
    return tuple(_rate(word) for word in some_words(value))


def _rate(word: str) -> Rate:
    times, _, window = word.partition("/")
    if not re.fullmatch(r"[0-9]{1,7}", times) or int(times) == 0:
        raise InvalidValue("must be rates such as 20/10m, with commas between, or off")
    return Rate(int(times), duration(window))
