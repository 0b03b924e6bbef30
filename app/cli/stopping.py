"""A stop: heard at once, also by a process that is busy, and over in time whatever hangs.

The attempt journal and the database bear an end at any instant, as by `kill -9`. So whoever is not
done in time ends all the same, and the next start settles what is left.
"""

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from types import FrameType

from app.log import get_logger

log = get_logger("serve")

_HEARD = (signal.SIGTERM, signal.SIGINT)
_LINGER = 1.0  # seconds that threads may take which nobody waits for any more


class Stopping:
    """Whether this process is to stop, and until when it has to have ended."""

    def __init__(self, within: timedelta) -> None:
        """Hear nothing yet. `within` is counted from the first signal, or from `begin`."""
        self.event = asyncio.Event()
        self._within = within.total_seconds()
        self._loop = asyncio.get_running_loop()
        self._ends_at: float | None = None  # monotonic
        self._status = 1
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def signals(self) -> Iterator[asyncio.Event]:
        """Hear SIGTERM and SIGINT from now on, and never again as anything else.

        Handlers of the loop would not be called while it is busy, nor after it has ended.
        """
        for number in _HEARD:
            signal.signal(number, self._hear)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # settings are read at the start
        yield self.event
        self.finished()

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self.begin()

    def begin(self) -> None:
        """Tell everybody to finish what is begun. Again, it changes nothing."""
        if self._ends_at is None:
            self._ends_at = time.monotonic() + self._within
            threading.Thread(target=self._watch, name="stop", daemon=True).start()
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self.event.set)

    def finished(self) -> None:
        """Say that all is done and written: who still hangs is waited for no longer."""
        self._status = 0
        with self._changed:
            soon = time.monotonic() + _LINGER
            self._ends_at = min(self._ends_at or soon, soon)
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while self._ends_at is not None and (left := self._ends_at - time.monotonic()) > 0:
                self._changed.wait(left)
        if self._status:
            log.error("the stop took too long; what is left is settled at the next start")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(self._status)
