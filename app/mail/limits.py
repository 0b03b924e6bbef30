"""What a relay, or the servers of a domain, want no more of; how it is written, and read.

Limits hold over all senders together. A relay that nobody knows yet is warmed up: day after day it
may get more, by a plan.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date

from app.errors import DomainError

# Messages on the first, second, … day, if a plan names only its first day: about double every day,
# as providers and those who watch them advise for a sender whom nobody knows.
PLAN = (50, 100, 200, 400, 800, 1500, 3000, 6000, 12_000, 25_000, 50_000)
_NUMBER = re.compile(r"[1-9]\d{0,8}")


class LimitWrong(DomainError):
    """A limit is a whole number from 1, and each is given once."""


class WarmUpWrong(DomainError):
    """A warm-up is warm_up=2026-12-01 or, with the messages of each day, 2026-12-01:50:100:200."""


@dataclass(frozen=True, slots=True)
class WarmUp:
    """A plan by day: messages on the first day, the second, …; after the last there is no limit."""

    begins: date
    plan: tuple[int, ...] = PLAN

    def most_on(self, day: date) -> int | None:
        """Return how many messages may go on this day; None when the plan is over."""
        number = (day - self.begins).days
        if number < 0:
            return 0
        return self.plan[number] if number < len(self.plan) else None

    @classmethod
    def parse(cls, text: str) -> "WarmUp":
        """Read `DAY` or `DAY:LETTERS:LETTERS…`. Raises WarmUpWrong."""
        day, *messages = text.split(":")
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", day) or not all(map(_NUMBER.fullmatch, messages)):
            raise WarmUpWrong
        try:
            begins = date.fromisoformat(day)
        except ValueError:
            raise WarmUpWrong from None
        return cls(begins, tuple(map(int, messages)) or PLAN)


@dataclass(frozen=True, slots=True)
class Limits:
    """None where there is no limit.

    `connections` at a time; messages `per_second`, `per_minute`, `per_hour`, `per_day`;
    `per_connection` is how many messages one connection may carry.
    """

    connections: int | None = None
    per_second: int | None = None
    per_minute: int | None = None
    per_hour: int | None = None
    per_day: int | None = None
    per_connection: int | None = None
    warm_up: WarmUp | None = None

    @property
    def pace(self) -> bool:
        """Whether messages are counted."""
        return (  # asked for each message: no loop
            self.per_second is not None
            or self.per_minute is not None
            or self.per_hour is not None
            or self.per_day is not None
            or self.warm_up is not None
        )

    def most_in_a_day(self, day: date) -> int | None:
        """Return how many messages may go in the 24 hours that end on this day.

        While a relay is warmed up this is what the plan says, if it is less than `per_day`.
        """
        planned = self.warm_up.most_on(day) if self.warm_up else None
        both = [most for most in (self.per_day, planned) if most is not None]
        return min(both, default=None)


NO_LIMITS = Limits()
NAMES = frozenset(each.name for each in fields(Limits)) - {"warm_up"}


def read_limits(given: Mapping[str, str]) -> Limits:
    """Read limits from their names and numbers. Raises LimitWrong, WarmUpWrong."""
    numbers = {name: text for name, text in given.items() if name != "warm_up"}
    if not NAMES.issuperset(numbers) or not all(map(_NUMBER.fullmatch, numbers.values())):
        raise LimitWrong
    warm_up = WarmUp.parse(given["warm_up"]) if "warm_up" in given else None
    return Limits(**{name: int(text) for name, text in numbers.items()}, warm_up=warm_up)
