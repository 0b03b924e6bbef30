"""Many small writes in one commit: those that arrive while the last commit runs share the next.

Who asks is answered after the commit that holds what they asked for, never before; so a stop or a
crash loses nothing that was promised. One that cannot be written fails alone.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy.exc import OperationalError

from app.errors import DomainError

Wish = TypeVar("Wish")
Outcome = TypeVar("Outcome")
PAUSE = 0.001  # seconds
LINGER = 0.02
MOST = 500  # in one commit: a commit that takes longer lets the ones behind it grow old


class TooBusy(DomainError):
    """Too much is waiting to be written; please try again in a moment."""


class _Waiting(NamedTuple, Generic[Wish, Outcome]):
    wish: Wish
    answer: "asyncio.Future[Outcome]"


class GroupCommit(Generic[Wish, Outcome]):
    """Takes wishes from one event loop and writes them, in their order, in a thread.

    `write` is given up to `most` wishes, commits, and returns an outcome for each. It must be safe
    to call again with the same wishes if it raised.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Wish]], Sequence[Outcome]],
        *,
        room: int,
        most: int = MOST,
    ) -> None:
        """`room` is how many may wait; one more is refused."""
        self._write = write
        self._room = room
        self._most = most
        self._waiting: deque[_Waiting[Wish, Outcome]] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def add(self, wish: Wish) -> Outcome:
        """Return the outcome once it is committed. Raises TooBusy, or what `write` raised."""
        if len(self._waiting) >= self._room:
            raise TooBusy
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome] = loop.create_future()
        self._waiting.append(_Waiting(wish, answer))
        if self._writer is None or self._writer.done():
            self._writer = loop.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        """Write until nobody waits. What comes meanwhile is gathered for the next turn."""
        while self._waiting:
            await self._while_more_come()
            turn = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            _answer(turn, await asyncio.to_thread(self._outcomes, [each.wish for each in turn]))

    async def _while_more_come(self) -> None:
        """Wait until nothing came for PAUSE seconds; LINGER seconds, and `most` wishes, at most.

        A commit costs as much as many requests do; the fewer, the more of them can be answered.
        """
        end = asyncio.get_running_loop().time() + LINGER
        before = 0
        while before < len(self._waiting) < self._most and asyncio.get_running_loop().time() < end:
            before = len(self._waiting)
            await asyncio.sleep(PAUSE)

    def _outcomes(self, wishes: Sequence[Wish]) -> Sequence[Outcome | Exception]:
        """Write together; if that fails, each alone, so that only the bad one suffers for it."""
        try:
            return self._write(wishes)
        except OperationalError as away:  # the database is away or full: for all of them
            return [away] * len(wishes)
        except Exception as wrong:  # noqa: BLE001 - whatever it is, whoever waits gets to know it
            if len(wishes) == 1:
                return [wrong]
            return [outcome for wish in wishes for outcome in self._outcomes([wish])]


def _answer(
    turn: Sequence[_Waiting[Wish, Outcome]], outcomes: Sequence[Outcome | Exception]
) -> None:
    for (_, answer), outcome in zip(turn, outcomes, strict=True):
        if answer.done():  # its client is gone
            continue
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
