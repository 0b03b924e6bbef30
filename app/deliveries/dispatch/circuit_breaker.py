"""A circuit breaker: what fails again and again rests, and is tried by one before by all. Pure.

Closed: in use. Open: left alone for a while that grows. Half open: the while is over, and one line
tries; whether its message is taken decides. What failed together counts as one failure.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

TRIPS = 3  # failures in a row, none of them while it was resting from another


class State(StrEnum):
    """How a relay is used."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Event(StrEnum):
    """What happens to it."""

    TAKEN = "taken"  # a message
    FAILED = "failed"  # a connection, TLS, a login, a 421; not for the first time too often
    TRIPPED = "tripped"  # so often in a row that it is no chance
    RESTED = "rested"  # the time is over for which it was to be left alone


MOVES: dict[State, dict[Event, State]] = {
    State.CLOSED: {
        Event.TAKEN: State.CLOSED,
        Event.FAILED: State.CLOSED,
        Event.TRIPPED: State.OPEN,
        Event.RESTED: State.CLOSED,
    },
    State.OPEN: {
        Event.TAKEN: State.CLOSED,  # a message that was under way
        Event.FAILED: State.OPEN,
        Event.TRIPPED: State.OPEN,
        Event.RESTED: State.HALF_OPEN,
    },
    State.HALF_OPEN: {
        Event.TAKEN: State.CLOSED,
        Event.FAILED: State.OPEN,
        Event.TRIPPED: State.OPEN,
        Event.RESTED: State.HALF_OPEN,
    },
}


@dataclass(frozen=True, slots=True)
class Breaker:
    """Where a relay stands; `rests_until` is monotonic, in seconds."""

    state: State = State.CLOSED
    failures: int = 0
    rests_until: float = 0.0

    def taken(self) -> "Breaker":
        """A message was taken: all is well."""
        if self.state is State.CLOSED and not self.failures:
            return self
        return Breaker(MOVES[self.state][Event.TAKEN])

    def failed(
        self, now: float, rests: tuple[float, ...], chance: float, *, trips: int = TRIPS
    ) -> "Breaker":
        """It failed; what fails while it rests from an earlier failure is the same failure.

        `rests` are the seconds after the first, second, … failure; the last repeats. `chance`,
        between 0 and 1, spreads them by a fifth to either side. `trips` failures open it.
        """
        if now < self.rests_until:
            return self
        failures = self.failures + 1
        rest = rests[min(failures, len(rests)) - 1] * (0.8 + 0.4 * chance)
        event = Event.TRIPPED if failures >= trips else Event.FAILED
        return Breaker(MOVES[self.state][event], failures, now + rest)

    def at(self, now: float) -> "Breaker":
        """Return where it stands now: rested or not."""
        if now < self.rests_until:
            return self
        rested = MOVES[self.state][Event.RESTED]
        return self if rested is self.state else replace(self, state=rested)
