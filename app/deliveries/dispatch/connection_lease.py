"""One of the connections that a relay allows to all senders together: whose it is, how long.

A sender keeps what it has, for a connection that is opened anew costs several round trips and a
transaction; unless another sender would have less than its share.
"""

from collections.abc import Awaitable, Callable

from app.clock import Clock
from app.deliveries.dispatch.relay_health import RelayState

OTHERS = 1.0  # seconds until a connection that another sender has is asked for again
HELD = 0.5  # seconds, then a connection beyond our share is given up: another sender waits for it

Take = Callable[[str, int, int], Awaitable[bool]]
Free = Callable[[str, int], Awaitable[None]]


class ConnectionLease:
    """Connection `number` of a relay's `of`; `take` and `free` ask for it and give it back."""

    def __init__(
        self, state: RelayState, number: int, of: int, clock: Clock, take: Take, free: Free
    ) -> None:
        """Hold nothing yet."""
        self._state = state
        self._number = number
        self._of = of
        self._clock = clock
        self._ask = take
        self._give_back = free
        self._is_ours = False
        self._since = 0.0  # monotonic, since when it is ours
        self._denied_until = 0.0  # monotonic, when others had it

    def waits(self, now: float) -> float:
        """Return for how many seconds it is not to be asked for."""
        return self._denied_until - now

    async def take(self) -> bool:
        """Take it, unless it is ours already; False if others have it."""
        if self._is_ours:
            return True
        self._is_ours = await self._ask(self._state.relay.name, self._number, self._of)
        now = self._clock.monotonic()
        if self._is_ours:
            self._state.lines += 1
            self._since = now
        else:
            self._denied_until = self._state.crowded_until = now + OTHERS
        return self._is_ours

    async def free(self) -> None:
        """Give it back, if it is ours."""
        if self._is_ours:
            self._is_ours = False
            self._state.lines -= 1
            await self._give_back(self._state.relay.name, self._number)

    def is_owed(self) -> bool:
        """Tell whether another sender should have it by now."""
        if self._state.lines <= self._of // self._state.senders:
            return False
        return self._clock.monotonic() - self._since > HELD
