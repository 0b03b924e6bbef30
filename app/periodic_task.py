"""What is done again and again while the sender lives: its failure is told, and never the end.

A failure is logged in full once, and told to the operators; while the same goes on, it is a line.
"""

import asyncio
import contextlib
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import OperationalError

from app.clock import Clock
from app.database import Database, is_deadlock
from app.log import get_logger
from app.operators.alerts import alert

log = get_logger("sender")


@dataclass
class PeriodicTask:
    """Does `act` at once, and then every `seconds`."""

    name: str
    act: Callable[[datetime], object]
    seconds: float
    database: Database
    clock: Clock
    _fails: set[str] = field(default_factory=set, init=False)  # how it failed the last time

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until `stop` is set."""
        while not stop.is_set():
            await self._once()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.seconds)

    async def _once(self) -> None:
        try:
            await asyncio.to_thread(self.act, self.clock.now())
            self._fails = set()
        except* OperationalError as away:  # twice a second, perhaps for hours: one line is enough
            met = all(map(is_deadlock, _leaves(away)))
            what = "two waited for each other" if met else "the database does not answer"
            log.warning(what, step=self.name)
        except* Exception as failed:  # noqa: BLE001 - whatever it was, it is told
            await self._tell(failed)

    async def _tell(self, failed: BaseExceptionGroup[Exception]) -> None:
        kinds = ", ".join(sorted({type(each).__name__ for each in _leaves(failed)}))
        fails = {_place_of(each) for each in _leaves(failed)}
        known, self._fails = fails <= self._fails, fails
        if known:
            log.error("a step fails still", step=self.name, error=kinds)
            return
        log.error("a step failed", step=self.name, exc_info=failed)
        with contextlib.suppress(Exception):  # the log has it
            await asyncio.to_thread(self._alert, kinds)

    def _alert(self, kinds: str) -> None:
        now = self.clock.now()
        text = (
            f"What the sender does again and again fails ({self.name}: {kinds}). The rest of its"
            " work goes on; the log tells more."
        )
        with self.database.transaction() as session:
            alert(session, f"step-{now.date()}-{self.name}-{kinds}", text, now=now)


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for each in group.exceptions:
        found += _leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return found


def _place_of(error: BaseException) -> str:
    """Return what tells one failure from another: its type, and where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    return f"{type(error).__name__} {last.filename}:{last.lineno}" if last else ""
