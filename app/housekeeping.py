"""What is done again and again while the sender lives: its failure is told, and never the end.

A failure is told in full once, and to the operators; while the same goes on, in a line each time.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app.clock import Clock
from app.database import Database
from app.journal import journal
from app.operators.alerts import alert

log = journal("sender")


@dataclass
class Chore:
    """Does `act` at once, and then every `seconds`."""

    name: str
    act: Callable[[datetime], object]
    seconds: float
    database: Database
    clock: Clock
    _fails: str = field(default="", init=False)  # with what it failed the last time

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until `stop` is set."""
        while not stop.is_set():
            await self._once()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.seconds)

    async def _once(self) -> None:
        try:
            await asyncio.to_thread(self.act, self.clock.now())
            self._fails = ""
        except* OperationalError:  # twice a second, perhaps for hours: one line is enough
            log.warning("the database does not answer", step=self.name)
        except* Exception as failed:  # noqa: BLE001 - whatever it was, it is told
            await self._tell(failed)

    async def _tell(self, failed: BaseExceptionGroup[Exception]) -> None:
        kinds = ", ".join(sorted({type(each).__name__ for each in _leaves(failed)}))
        if kinds == self._fails:
            log.error("a step fails still", step=self.name, error=kinds)
            return
        self._fails = kinds
        log.error("a step failed", step=self.name, exc_info=failed)
        with contextlib.suppress(SQLAlchemyError):
            await asyncio.to_thread(self._alert, kinds)

    def _alert(self, kinds: str) -> None:
        now = self.clock.now()
        text = (
            f"What the sender does again and again fails ({self.name}: {kinds}). The rest of its"
            " work goes on; the log tells more."
        )
        with self.database.transaction() as session:
            alert(session, f"step-{self.name}-{now.date()}", text, now=now)


def _leaves(group: BaseExceptionGroup[Exception]) -> list[BaseException]:
    found: list[BaseException] = []
    for each in group.exceptions:
        found += _leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return found
