"""Sending: a line carries one letter after the other; every attempt is noted around it.

No database is touched here, and no exception escapes a letter: what happened is a value.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from app.clock import Clock
from app.deliveries.attempts import AttemptJournal
from app.deliveries.composing import Outgoing
from app.deliveries.relays import RelayState
from app.deliveries.results import result_of
from app.journal import journal
from app.mail.pipeline import Hands
from app.mail.replies import Answer, Stage, Verdict
from app.mail.smtp import Connection

log = journal("deliveries")

# A letter that was looked at longer ago than this is looked at once more (promise 3: a second).
STALE = 0.7
IDLE = 20.0  # seconds until an idle connection is closed: relays close theirs after some minutes


@dataclass(frozen=True, slots=True)
class Done:
    """A letter that was tried, and what came of it."""

    outgoing: Outgoing
    relay: str
    answer: Answer
    verdict: Verdict
    at: datetime


class JournalUnwritable(Exception):
    """An attempt could not be noted, and so was not made."""

    def __init__(self, outgoing: Outgoing) -> None:
        """Say whose."""
        super().__init__()
        self.outgoing = outgoing


class Line:
    """One line to a relay: opens a connection when there is a letter, closes it when idle."""

    def __init__(
        self,
        state: RelayState,
        hostname: str,
        queue: "asyncio.Queue[Outgoing]",
        attempts: AttemptJournal,
        clock: Clock,
        look_again: Callable[[Outgoing], Awaitable[Outgoing | None]],
        done: Callable[[Done], None],
    ) -> None:
        """Take the parts; nothing is opened yet."""
        self._state = state
        self._hostname = hostname
        self._queue = queue
        self._attempts = attempts
        self._clock = clock
        self._look_again = look_again
        self._done = done
        self._connection: Connection | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Send letters until told to stop; the letter on the wire is finished first."""
        try:
            while not stop.is_set():
                if await self._rested(stop):
                    outgoing = await self._next(stop)
                    if outgoing is not None:
                        await self._carry(outgoing, stop)
        finally:
            await self._hang_up()

    async def _next(self, stop: asyncio.Event) -> Outgoing | None:
        getting = asyncio.ensure_future(self._queue.get())
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait(
                {getting, stopping}, timeout=IDLE, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            stopping.cancel()
        if getting.done():
            return getting.result()
        getting.cancel()
        if not stop.is_set():
            await self._hang_up()
        return None

    async def _carry(self, outgoing: Outgoing, stop: asyncio.Event) -> None:
        connection = await self._open(stop)
        if connection is None:
            # For another line, or to be given back with the rest of the queue.
            self._queue.put_nowait(outgoing)
            return
        current: Outgoing | None = outgoing
        if self._is_stale(outgoing):
            current = await self._look_again(outgoing)
        if current is None:
            return
        try:
            await connection.carry(current, self._hands(stop))
        except JournalUnwritable as unwritable:
            answer = Answer(Stage.DATA, None, "The attempt journal cannot be written.")
            self._ended(unwritable.outgoing, answer)

    def _is_stale(self, outgoing: Outgoing) -> bool:
        return self._clock.monotonic() - outgoing.checked_at > STALE

    def _hands(self, stop: asyncio.Event) -> Hands[Outgoing]:
        return Hands(
            take=lambda: None if stop.is_set() else self._take(),
            may_go=self._may_go,
            noted=self._note,
            done=self._ended,
            give_back=self._queue.put_nowait,
        )

    def _take(self) -> Outgoing | None:
        """Return a letter that is ready, if one is and the relay may have it now."""
        if self._queue.empty() or self._waits() > 0:
            return None
        return self._queue.get_nowait()

    async def _may_go(self, outgoing: Outgoing) -> bool:
        """Look once more at a letter that waited for the one before it to be taken."""
        return not self._is_stale(outgoing) or await self._look_again(outgoing) is not None

    def _note(self, outgoing: Outgoing) -> None:
        claim = outgoing.ready.claim
        try:
            self._attempts.note(claim.delivery_id, claim.attempts + 1)
        except OSError:
            raise JournalUnwritable(outgoing) from None

    async def _open(self, stop: asyncio.Event) -> Connection | None:
        """Return an open connection; None if there is none to be had now, or we are to stop."""
        if stop.is_set() or self._waits() > 0:
            return None
        if self._is_connected():
            return self._connection
        self._connection = None
        opened = await Connection.open(self._state.relay, self._hostname)
        if isinstance(opened, Connection):
            self._connection = opened
        else:
            self._could_not_open(opened)
        return self._connection

    def _is_connected(self) -> bool:
        return self._connection is not None and self._connection.usable

    def _waits(self) -> float:
        return self._state.waits(self._clock.monotonic(), connected=self._is_connected())

    def _could_not_open(self, answer: Answer) -> None:
        now = self._clock.monotonic()
        self._state.could_not_open(answer, now=now, chance=random.random())  # noqa: S311 (jitter)
        log.warning(
            "relay cannot be used", relay=self._state.relay.name, trouble=self._state.trouble
        )

    async def _rested(self, stop: asyncio.Event) -> bool:
        """Wait until the relay has rested; False if told to stop meanwhile."""
        left = self._waits()
        if left <= 0:
            return True
        try:
            await asyncio.wait_for(stop.wait(), left)
        except TimeoutError:
            return True
        return False

    def _ended(self, outgoing: Outgoing, answer: Answer) -> None:
        claim = outgoing.ready.claim
        try:
            self._attempts.settle(claim.delivery_id, claim.attempts + 1, result_of(answer))
        except OSError as error:
            # Should we die before it is recorded, the letter is in doubt.
            log.warning("a result could not be noted", error=error.strerror)
        now = self._clock.monotonic()
        verdict = self._state.heard(answer, now=now, chance=random.random())  # noqa: S311 (jitter)
        name = self._state.relay.name
        self._done(Done(outgoing, name, answer, verdict, self._clock.now()))

    async def _hang_up(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None
