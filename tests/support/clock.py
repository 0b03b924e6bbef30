"""A clock that is set: it stands still until a test moves it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# A Monday: the day after the week that the sample issue tells of.
MONDAY = datetime(2025, 1, 27, 10, tzinfo=UTC)


@dataclass
class SetClock:
    """Stands in for `app.clock.SystemClock`."""

    at: datetime = MONDAY

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def refresh(self) -> None:
        """Follow nothing."""

    def go_on(self, **time: float) -> datetime:
        """Move on by this much, such as `hours=72`; return the new time."""
        self.at += timedelta(**time)
        return self.at
