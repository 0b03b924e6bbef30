"""An event loop whose time jumps: hours of waiting pass in the time that the work takes.

While nothing is left to do but to wait for a timer, the loop's clock jumps there. It stands still
while anything is under way: bytes between two sockets of this process, or work in a thread.
"""

import asyncio
import os
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
BEGIN = datetime(2026, 1, 6, 9, 0, tzinfo=UTC)


class _Jumping(selectors.DefaultSelector):
    """Selects without waiting; what it was to wait for, it tells `jump`."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; if nothing is, let time jump, unless a thread is at work."""
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.loop.at_work or timeout is None:
            return super().select(None)
        os.sched_yield()  # what one socket sent has now arrived at the other
        ready = super().select(0)
        if not ready:
            self.loop.jump(timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs like any event loop, in a time of its own that begins at 0."""

    def __init__(self) -> None:
        selector = _Jumping()
        selector.loop = self
        self.at_work = 0
        self._virtual = 0.0
        super().__init__(selector)

    def time(self) -> float:
        """Return the virtual seconds since the beginning."""
        return self._virtual

    def jump(self, seconds: float) -> None:
        """Let time pass."""
        self._virtual += seconds

    def run_in_executor(  # type: ignore[override]  # asyncio's own is generic in another way
        self, executor: Executor | None, func: Callable[..., T], *arguments: Any
    ) -> asyncio.Future[T]:
        """Run in a thread; until it is done, time stands still."""
        self.at_work += 1
        future = super().run_in_executor(executor, func, *arguments)
        future.add_done_callback(self._done)
        return future

    def _done(self, _: object) -> None:
        self.at_work -= 1


class VirtualClock:
    """Stands in for `app.clock.SystemClock`: the loop's time, from a Tuesday morning on."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        """Return the present instant of the loop."""
        return BEGIN + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        """Return the loop's seconds."""
        return self._loop.time()

    def refresh(self) -> None:
        """Follow nothing."""
