"""Messages that are ready: the oldest goes first, and how many to have follows how fast they go."""

import asyncio
import math
from collections import deque
from collections.abc import Iterator

from app.deliveries.compose.composing import Outgoing

AHEAD = 0.35  # seconds' worth of messages to have; after twice that they are looked at once more
MOST = 1000
MEASURED_EVERY = 0.25


class ReadyMessages(asyncio.Queue[Outgoing]):
    """The messages that lines may take; says when they run low."""

    def __init__(self, smallest: int, low: asyncio.Event) -> None:
        """`smallest` is how many to have in any case; `low` is set when they run low."""
        super().__init__()
        self.low = low
        self.low_mark = 0
        self.ahead = self._smallest = smallest  # how many to have
        self.ran_dry = False
        self._taken = 0
        self._measured_at = 0.0

    @property
    def next_is_paced(self) -> bool:
        """Whether the next has its turn for a few seconds only."""
        waiting: deque[Outgoing] = self._queue  # type: ignore[attr-defined]  # asyncio's own
        return bool(waiting) and waiting[0].let_go_at is not None

    def __iter__(self) -> Iterator[Outgoing]:
        """Look at those that wait, and take none."""
        waiting: deque[Outgoing] = self._queue  # type: ignore[attr-defined]  # asyncio's own
        return iter(waiting)

    def _get(self) -> Outgoing:
        """Give one away; asyncio's own hook, for every way of getting."""
        waiting: deque[Outgoing] = self._queue  # type: ignore[attr-defined]  # asyncio's own
        outgoing = waiting.popleft()
        self._taken += 1
        if len(waiting) <= self.low_mark:
            self.low.set()
            self.ran_dry = self.ran_dry or not waiting
        return outgoing

    def adapt(self, now: float, *, more: bool) -> None:
        """Have twice as many if the lines ran dry while there were `more`; else what they need."""
        if self.ran_dry and more:
            self.ahead = min(MOST, 2 * self.ahead)
        elif now - self._measured_at >= MEASURED_EVERY:
            rate = self._taken / (now - self._measured_at)
            needed = max(self._smallest, math.ceil(rate * AHEAD))
            self.ahead = max(min(self.ahead, needed), self.ahead // 2, self._smallest)
            self._taken, self._measured_at = 0, now
        self.ran_dry = False
