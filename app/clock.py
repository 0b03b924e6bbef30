"""The only place that reads the time.

Verbs take `now` as an argument, always aware and in UTC; edges ask a clock for it.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time to the edges."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for measuring ages."""
        ...

    def refresh(self) -> None:
        """Compare with whatever this clock follows; call it every ten seconds or so."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for measuring ages."""
        return time.monotonic()

    def refresh(self) -> None:
        """Follow nothing."""


BACKWARDS = timedelta(seconds=5)
"""A step back by more than this is told; NTP slews what is less."""


class StepWatch:
    """Notices when a clock went back, by the seconds that went by meanwhile."""

    def __init__(self) -> None:
        """Know nothing before the first look."""
        self._last: tuple[datetime, float] | None = None

    def look(self, now: datetime, at: float) -> timedelta:
        """Return how far the clock went back since the last look; `at` is monotonic, in seconds."""
        before, self._last = self._last, (now, at)
        if before is None:
            return timedelta(0)
        expected = before[0] + timedelta(seconds=at - before[1])
        return expected - now if expected - now > BACKWARDS else timedelta(0)
