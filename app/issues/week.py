"""The ISO week that names an issue: `2025-W04` is January 20 to January 26, 2025.

A `Week` is always a week that exists; weeks order as they follow each other.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from app.errors import DomainError


class NoSuchWeek(DomainError):
    """A week is named like 2025-W04, from W01 to the last ISO week of its year."""


class WeekNotInYear(NoSuchWeek):
    """This year has no 53rd week."""


@dataclass(frozen=True, order=True, slots=True)
class Week:
    """One ISO week (ISO 8601, Monday to Sunday), known by its Monday."""

    monday: date

    def __post_init__(self) -> None:
        """Refuse a day that is not a Monday: it would be a second name of the same week."""
        if self.monday.weekday():
            raise NoSuchWeek

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2025-W04`; raises `NoSuchWeek`, also for the 53rd week of a year that has 52."""
        match = re.fullmatch(r"([12]\d{3})-W(\d{2})", text, re.ASCII)
        if not match:
            raise NoSuchWeek
        try:
            return cls(date.fromisocalendar(int(match[1]), int(match[2]), 1))
        except ValueError:
            raise (WeekNotInYear if match[2] == "53" else NoSuchWeek) from None

    @classmethod
    def of(cls, day: date) -> Self:
        """The week a day falls in."""
        return cls(day - timedelta(days=day.weekday()))

    @property
    def sunday(self) -> date:
        """The last day."""
        return self.monday + timedelta(days=6)

    @property
    def number(self) -> int:
        """Year and week as one number: 202504."""
        year, week, _ = self.monday.isocalendar()
        return year * 100 + week

    def previous(self) -> Self:
        """The week before."""
        return type(self)(self.monday - timedelta(days=7))

    def __str__(self) -> str:
        """The name: `2025-W04`."""
        year, week, _ = self.monday.isocalendar()
        return f"{year}-W{week:02}"
