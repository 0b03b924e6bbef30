"""Sending: a line carries one message after the other; every attempt is noted around it.

No database is touched here, and no exception escapes a message: what happened is a value.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from app.clock import Clock
from app.deliveries.compose.composing import Outgoing
from app.deliveries.destinations.coordination import GRANT_LIFETIME
from app.deliveries.destinations.throttle_signals import ThrottleSignal
from app.deliveries.dispatch.attempt_journal import AttemptJournal
from app.deliveries.dispatch.circuit_breaker import State
from app.deliveries.dispatch.connection_lease import ConnectionLease, Free, Take
from app.deliveries.dispatch.ready_queue import ReadyMessages
from app.deliveries.dispatch.relay_health import RelayState
from app.deliveries.dispatch.reply_codec import result_of
from app.log import get_logger
from app.mail.replies import Answer, Disposition, Stage
from app.mail.smtp.connection import Connection
from app.mail.smtp.pipeline import PipelineCallbacks

log = get_logger("deliveries")

# A message that was looked at longer ago than this is looked at once more (promise 3: a second).
RECHECK_AFTER = 0.7
SOON = 0.02  # seconds until permits that were asked for may have come
PATIENCE = 2.0  # seconds that a relay may wait for content until the message's permit comes
# A message whose domain is paced is begun in this time, and then waits for a permit at most.
IN_TIME = GRANT_LIFETIME.total_seconds() - PATIENCE - 0.5  # seconds
IDLE = 20.0  # seconds until an idle connection is closed: relays close theirs after some minutes


class AttemptResult(NamedTuple):
    """A message that was tried, and what came of it."""

    outgoing: Outgoing
    relay: str
    answer: Answer
    verdict: Disposition
    at: datetime
    wish: ThrottleSignal = ThrottleSignal.NONE
    seconds: float = 0.0  # on the line


class JournalUnwritable(Exception):
    """An attempt could not be noted, and so was not made."""

    def __init__(self, outgoing: Outgoing) -> None:
        """Say whose."""
        super().__init__()
        self.outgoing = outgoing


@dataclass(frozen=True)
class WorkerContext:
    """What all lines of an engine work with."""

    hostname: str
    attempts: AttemptJournal
    clock: Clock
    look_again: Callable[[Outgoing], Awaitable[float | None]]
    done: Callable[[AttemptResult], None]
    give_back: Callable[[Outgoing], None]
    has_others: Callable[[RelayState], bool]
    group_of: Callable[[Outgoing], str]
    acquire_connection: Take
    release_connection: Free


class ConnectionWorker:
    """One line to a relay: opens a connection when there is a message, closes it when idle."""

    def __init__(
        self,
        state: RelayState,
        number: int,
        of: int,
        queue: ReadyMessages,
        shared: WorkerContext,
    ) -> None:
        """Open nothing yet. This is worker `number` of a relay's `of`; it takes from `queue`."""
        self._state = state
        self._queue = queue
        self._shared = shared
        self._hold = ConnectionLease(
            state, number, of, shared.clock, shared.acquire_connection, shared.release_connection
        )
        self._connection: Connection | None = None
        self._carried = 0  # messages over the connection that is open
        self._coming: Outgoing | None = None  # what goes after the message on the wire
        self.carries: Outgoing | None = None
        self.since = 0.0  # when the message on the wire began (monotonic)

    async def run(self, stop: asyncio.Event) -> None:
        """Send messages until told to stop; the message on the wire is finished first."""
        try:
            while not stop.is_set():
                if await self._rested(stop):
                    await self._use(stop)
        finally:
            await self._hang_up()

    async def _use(self, stop: asyncio.Event) -> None:
        """Send what there is; after a rest of the relay, this may be the line that tries it."""
        outgoing = await self._next(stop)
        if outgoing is None:
            return
        if not self._state.begin(self._shared.clock.monotonic(), self):
            self._shared.give_back(outgoing)
            return
        try:
            await self._carry(outgoing, stop)
        finally:
            self._state.end(self)

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
        connection, wanted = await self._ready(outgoing, stop)
        if wanted is None:
            return
        outgoing = wanted
        if connection is None:
            # For another line or relay, or to be given back with all that is ready.
            self._shared.give_back(outgoing)
            return
        if self._is_stale(outgoing):
            checked_at = await self._shared.look_again(outgoing)
            if checked_at is None:
                return
            outgoing = outgoing._replace(checked_at=checked_at)
        if is_late(outgoing, self._shared.clock.monotonic()):
            self._shared.give_back(outgoing)
            return
        self._begin(outgoing)
        try:
            await connection.carry(outgoing, self._hands(stop))
            if self._is_used_up():
                await self._hang_up()
        except JournalUnwritable as unwritable:
            answer = Answer(Stage.DATA, None, "The attempt journal cannot be written.")
            self._ended(unwritable.outgoing, answer)
        finally:
            self._begin(None)

    def _begin(self, outgoing: Outgoing | None) -> None:
        """Remember what is on the wire, and since when: a slow domain must not take all lines."""
        self.carries, self._coming = outgoing, None
        self.since = self._shared.clock.monotonic()

    def _is_stale(self, outgoing: Outgoing) -> bool:
        return self._shared.clock.monotonic() - outgoing.checked_at > RECHECK_AFTER

    def _hands(self, stop: asyncio.Event) -> PipelineCallbacks[Outgoing]:
        return PipelineCallbacks(
            take=lambda: None if stop.is_set() else self._take(),
            goes=self._goes,
            may_go=self._may_go,
            noted=self._note,
            done=self._ended,
            give_back=self._shared.give_back,
        )

    def _take(self) -> Outgoing | None:
        """Return a message that is ready, if one is and the relay may have it now."""
        if self._queue.empty() or self._queue.next_is_paced or self._is_used_up():
            return None  # the turn of one that is paced would pass while the one before is slow
        if self._waits() > 0 or self._permit_wait() > 0:
            return None
        self._coming = self._queue.get_nowait()
        return self._coming

    def _is_used_up(self) -> bool:
        """Tell whether this connection has carried what it may, or what is fair to others."""
        limit = self._state.relay.limits.per_connection
        if limit and self._carried >= limit:
            return True
        return self._hold.is_owed()

    def _goes(self, outgoing: Outgoing) -> bool:
        """Tell whether its content may go at once; if not, `_may_go` waits or looks again."""
        if self._is_stale(outgoing) or not self._state.permits.use(self._shared.clock.now()):
            return False
        self._carried += 1
        return True

    async def _may_go(self, outgoing: Outgoing) -> bool:
        """Say the last word before a message's content goes: it is permitted, and still wanted."""
        if not await self._permitted():
            self._shared.give_back(outgoing)
            return False
        if self._is_stale(outgoing) and await self._shared.look_again(outgoing) is None:
            return False
        self._carried += 1
        return True

    async def _permitted(self) -> bool:
        """Use up a permit; wait for one, but no longer than a relay waits for content gladly."""
        clock, permits = self._shared.clock, self._state.permits
        began = clock.monotonic()
        with permits.awaited():
            while not permits.use(clock.now()):
                if clock.monotonic() - began > PATIENCE:
                    return False
                await asyncio.sleep(min(max(self._permit_wait(), 0.001), SOON))
        return True

    def _permit_wait(self) -> float:
        wait = self._state.permits.wait(self._shared.clock.now())
        return SOON if wait is None else wait.total_seconds()

    def _note(self, outgoing: Outgoing) -> None:
        claim = outgoing.claim
        try:
            self._shared.attempts.note(claim.delivery_id, claim.attempts + 1, self._state.place)
        except OSError:
            raise JournalUnwritable(outgoing) from None

    async def _ready(
        self, outgoing: Outgoing, stop: asyncio.Event
    ) -> tuple[Connection | None, Outgoing | None]:
        """Return an open connection over which the message in hand may go now, or None; and it.

        A relay may have had its hour's messages. Whoever pauses the mailing meanwhile shall not
        wait for the next hour: the message is checked again every second, and is None if it must
        not go.
        """
        if not await self._hold.take():
            return None, outgoing
        with self._state.permits.awaited():
            while self._permit_wait() > 0 and not await _at_most(min(self._permit_wait(), 1), stop):
                if self._goes_elsewhere():
                    return None, outgoing
                if self._is_stale(outgoing):
                    checked_at = await self._shared.look_again(outgoing)
                    if checked_at is None:
                        return None, None
                    outgoing = outgoing._replace(checked_at=checked_at)
        return await self._open(stop), outgoing

    def _goes_elsewhere(self) -> bool:
        """Whether the message in hand had better go by a relay that may have more of them now."""
        used_up = self._state.is_used_up(self._shared.clock.monotonic())
        return used_up and self._shared.has_others(self._state)

    async def _open(self, stop: asyncio.Event) -> Connection | None:
        """Return an open connection; None if there is none to be had now, or we are to stop."""
        if stop.is_set() or self._waits() > 0:
            return None
        if self._is_connected():
            return self._connection
        self._connection = None
        self._carried = 0
        opened = await Connection.open(self._state.relay, self._shared.hostname)
        if isinstance(opened, Connection):
            self._connection = opened
        else:
            self._could_not_open(opened)
        return self._connection

    def _is_connected(self) -> bool:
        return self._connection is not None and self._connection.usable

    def _waits(self) -> float:
        """Return for how many seconds the relay is to be left alone by this line."""
        now = self._shared.clock.monotonic()
        waits = self._state.waits(now, connected=self._is_connected(), line=self)
        return max(waits, self._hold.waits(now))

    def _could_not_open(self, answer: Answer) -> None:
        now = self._shared.clock.monotonic()
        self._state.could_not_open(answer, now=now, chance=random.random())  # noqa: S311 (jitter)
        log.warning(
            "relay cannot be used", relay=self._state.relay.name, trouble=self._state.trouble
        )

    async def _rested(self, stop: asyncio.Event) -> bool:
        """Wait until the relay has rested; False if told to stop meanwhile."""
        left = self._waits()
        return left <= 0 or not await _at_most(left, stop)

    def _ended(self, outgoing: Outgoing, answer: Answer) -> None:
        claim, state, shared = outgoing.claim, self._state, self._shared
        number, result = claim.attempts + 1, result_of(answer)
        if shared.attempts.settle_soon(claim.delivery_id, number, result, state.place):
            asyncio.get_running_loop().call_soon(self._flush)
        now = shared.clock.monotonic()
        is_refusal = answer.reply is not None and not answer.reply.positive
        group = shared.group_of(outgoing) if is_refusal else ""
        chance = random.random()  # noqa: S311 (jitter)
        was_broken = state.breaker.state is not State.CLOSED
        verdict, wish = state.heard(
            answer,
            group=group,
            mailing=claim.mailing_id,
            attempts=number,
            now=now,
            chance=chance,
        )
        if was_broken and state.breaker.state is State.CLOSED:
            log.info("relay works again", relay=state.relay.name)
        took = now - self.since
        shared.done(
            AttemptResult(
                outgoing, state.relay.name, answer, verdict, shared.clock.now(), wish, took
            )
        )
        self._begin(self._coming)

    def _flush(self) -> None:
        """Write down results that no further attempt took along."""
        try:
            self._shared.attempts.flush()
        except OSError as error:
            # Should we die before they are recorded, the messages are in doubt.
            log.warning("a result could not be noted", error=error.strerror)

    async def _hang_up(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None
        await self._hold.free()


def is_late(outgoing: Outgoing, now: float) -> bool:
    """Tell whether a message that its domain's pace let go is not to be begun any more.

    Limits are true over any window because each turn is used at once, or not at all.
    """
    return outgoing.let_go_at is not None and now - outgoing.let_go_at > IN_TIME


async def _at_most(seconds: float, stop: asyncio.Event) -> bool:
    """Wait, and tell whether we were told to stop meanwhile."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True
