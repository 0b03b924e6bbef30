"""Of lines that repeat, a few a minute are written and the rest is counted.

So nothing that comes from outside can fill a disk with what is said about it: neither a client, nor
a relay, nor a database that is away. Only warnings and errors are looked at.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

EVERY = 60.0  # seconds of a window
MOST = 10  # lines of a kind in a window
_KINDS = 200  # that are told apart
_TOLD_APART = 40  # characters of a library's message: what follows may differ each time

_Kind = tuple[str, int, str]


@dataclass(slots=True)
class _Window:
    begun: float
    written: int = 0
    left_out: int = 0


class RepeatLimit(logging.Filter):
    """Lets a few lines of each kind pass; a kind is logger, level and event."""

    def __init__(
        self,
        write: Callable[[logging.LogRecord], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Hand the lines that tell how many were left out to `write`."""
        super().__init__()
        self._write = write
        self._clock = clock
        self._windows: dict[_Kind, _Window] = {}
        self._lock = Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to write this one."""
        self.tell()
        if record.levelno < logging.WARNING:
            return True
        with self._lock:
            kind = _kind_of(record)
            if kind not in self._windows and len(self._windows) >= _KINDS:
                kind = (record.name, record.levelno, "")
            window = self._windows.setdefault(kind, _Window(self._clock()))
            window.written += 1
            if window.written <= MOST:
                return True
            window.left_out += 1
            return False

    def tell(self, *, all_of_it: bool = False) -> None:
        """Write what was left out in windows that have ended, or in all of them."""
        now = self._clock()
        with self._lock:
            over = {
                kind: window
                for kind, window in self._windows.items()
                if all_of_it or now - window.begun >= EVERY
            }
            for kind in over:
                del self._windows[kind]
        for (name, level, event), window in over.items():
            if window.left_out:
                self._write(_summary(name, level, event, window.left_out))


def _kind_of(record: logging.LogRecord) -> _Kind:
    said = record.msg
    event = said.get("event", "") if isinstance(said, dict) else said
    line = str(event).partition("\n")[0]
    return record.name, record.levelno, line[:_TOLD_APART]


def _summary(name: str, level: int, event: str, count: int) -> logging.LogRecord:
    said = f"{count} more lines like this were left out: {event}"
    return logging.LogRecord(name, level, __file__, 0, said, None, None)
