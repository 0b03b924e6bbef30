"""The engine: claims letters, sends them over many lines, records what came of them, and rests.

The loop owns no truth: whatever it forgets when it dies is in the database or in the attempt
journal. Told to stop, it finishes the letters on the wire and gives the other claims back.
"""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock
from app.deliveries.attempts import AttemptJournal
from app.deliveries.claiming import Claim
from app.deliveries.composing import Outgoing
from app.deliveries.ledger import Ledger
from app.deliveries.relays import RelayState
from app.deliveries.sending import Done, Line, Shared
from app.journal import journal
from app.mail.relay import Relay

T = TypeVar("T")
log = journal("deliveries")

CHUNK = 500  # letters looked at, composed and taken on at a time, at most
FRESH = 0.3  # seconds that a letter may wait ready; after 0.7 it would have to be checked again
RECORD_EVERY = 0.05
POLL = 0.25
AFTER_TROUBLE = 1.0


class ReadyLetters(asyncio.Queue[Outgoing]):
    """The letters that lines may take, the oldest first; says when they run low."""

    def __init__(self) -> None:
        """Begin empty, and so low."""
        super().__init__()
        self.low = asyncio.Event()
        self.low_mark = 0
        self.ran_dry = False

    def _get(self) -> Outgoing:
        """Give one away; asyncio's own hook, for every way of getting."""
        outgoing: Outgoing = super()._get()
        if self.qsize() <= self.low_mark:
            self.low.set()
        self.ran_dry = self.ran_dry or self.empty()
        return outgoing

    def peek(self) -> Outgoing | None:
        """Return the oldest without taking it."""
        waiting: deque[Outgoing] = self._queue  # type: ignore[attr-defined]  # asyncio's own
        return waiting[0] if waiting else None


class Engine:
    """Moves due letters to the relays, until told to stop."""

    def __init__(
        self,
        ledger: Ledger,
        relays: list[RelayState],
        attempts: AttemptJournal,
        clock: Clock,
        *,
        hostname: str,
        connections: int,
    ) -> None:
        """`connections` is how many lines each relay gets; `hostname` is our name in EHLO."""
        self._ledger = ledger
        self._relays = relays
        self._attempts = attempts
        self._clock = clock
        self._queue = ReadyLetters()
        shared = Shared(
            hostname,
            self._queue,
            attempts,
            clock,
            look_again=self._look_again,
            done=self._finished,
            take_line=self._take_line,
            free_line=self._free_line,
        )
        self._lines = [
            Line(relay, number, of, shared)
            for relay in relays
            for of in (relay.relay.limits.connections or connections,)
            for number in range(of)
        ]
        self._smallest = max(len(self._lines), 1)
        self._claims: deque[Claim] = deque()
        self._done: list[Done] = []
        self._ahead = self._smallest  # how many letters to have ready
        self._turned = clock.monotonic()
        self._found_nothing = False
        self._unsure = False  # whether a turn failed, perhaps after it was committed

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then leave nothing claimed."""
        lines_stopped = asyncio.Event()
        turning = asyncio.create_task(self._turn_until(stop, lines_stopped))
        turning.add_done_callback(lambda _: stop.set())  # whatever ended it, lines would starve
        try:
            async with asyncio.TaskGroup() as group:
                for line in self._lines:
                    group.create_task(line.run(stop))
        finally:
            stop.set()
            lines_stopped.set()
            await turning
            await self._give_back()

    async def _turn_until(self, stop: asyncio.Event, lines_stopped: asyncio.Event) -> None:
        """Take turns with the database until the last letter on the wire is recorded."""
        while not lines_stopped.is_set():
            try:
                await self._turn(more=not stop.is_set())
                await self._tell_of_relays()
            except SQLAlchemyError as error:
                # What was sent meanwhile is in the attempt journal.
                log.warning("the database does not answer", error=type(error).__name__)
                await _pause(lines_stopped, AFTER_TROUBLE)
            await self._rest(lines_stopped)
        with contextlib.suppress(SQLAlchemyError):  # the journal is replayed at the next start
            await self._turn(more=False)

    async def _rest(self, lines_stopped: asyncio.Event) -> None:
        """Wait for the next turn: until letters run low, or results have waited long enough."""
        self._queue.low_mark = self._ahead // 2 if self._claims else -1
        self._queue.low.clear()
        if self._claims and self._queue.qsize() <= self._queue.low_mark:
            await asyncio.sleep(0)
            return
        waiting = any(relay.permits.waiting for relay in self._relays)
        busy = self._done or self._queue.qsize() or self._claims or waiting
        await _until_any(RECORD_EVERY if busy else POLL, lines_stopped, self._queue.low)

    async def _turn(self, *, more: bool) -> None:
        """Record what is done, and make more letters ready if `more` may go."""
        began = self._clock.monotonic()
        more = more and not await self._nobody_can_send(began)
        await self._forget_unsure()
        self._adapt(began)
        wanted = self._ahead - self._queue.qsize() if more else 0
        chunk = [self._claims.popleft() for _ in range(min(max(wanted, 0), len(self._claims)))]
        limit = self._ahead if more and len(self._claims) < self._ahead else 0
        done, self._done = self._done, []
        if not (chunk or done or (limit and self._may_claim(began)) or self._paced(more=more)):
            return
        unused = self._unused_permits()
        try:
            self._unsure = bool(limit)
            turned = await _in_thread(
                self._ledger.turn, done, chunk, limit, self._paced(more=more), unused
            )
        except SQLAlchemyError:
            # Permits that may have been given back are not given back again: it is better to send
            # fewer letters in an hour than too many.
            self._claims.extendleft(reversed(chunk))
            self._done[:0] = done
            raise
        self._unsure = False
        self._claims.extend(turned.claims)
        self._found_nothing = bool(limit) and not turned.claims
        for outgoing in turned.outgoing:
            self._queue.put_nowait(outgoing)
        for relay in self._relays:
            relay.permits.add(turned.permits.get(relay.relay.name, []))
        self._attempts.recorded([each.outgoing.ready.claim.delivery_id for each in done])
        self._turned = self._clock.monotonic()

    def _paced(self, *, more: bool) -> dict[Relay, int]:
        """Return how many permits to reserve, where a relay counts letters and some wait."""
        if not more:
            return {}
        now, wanted = self._clock.now(), min(self._queue.qsize() + len(self._claims), CHUNK)
        missing = {r.relay: r.permits.missing(wanted, now) for r in self._relays if r.lines}
        return {relay: count for relay, count in missing.items() if count}

    def _unused_permits(self) -> Counter[int]:
        unused: Counter[int] = Counter()
        for relay in self._relays:
            unused += relay.permits.unused
            relay.permits.unused.clear()
        return unused

    def _may_claim(self, now: float) -> bool:
        """An empty queue is asked for letters only so often."""
        return not self._found_nothing or now - self._turned >= POLL

    async def _forget_unsure(self) -> None:
        """Give back what a failed turn may have claimed without our knowing.

        With it goes what we know of: claimed again, it would be here twice, and go twice.
        """
        if self._unsure:
            await self._release_claims()
            await _in_thread(self._ledger.release_untouched)
            self._unsure = False

    async def _nobody_can_send(self, now: float) -> bool:
        """What is held then could not be cancelled, nor go by another sender: give it back."""
        if not all(relay.is_down(now) for relay in self._relays):
            return False
        await self._give_back()
        return True

    def _adapt(self, now: float) -> None:
        """Have more ready when the lines ran dry, and less when letters grow old in the queue."""
        oldest = self._queue.peek()
        if self._queue.ran_dry and self._claims:
            self._ahead = min(CHUNK, 2 * self._ahead)
            self._queue.ran_dry = False
        elif oldest is not None and now - oldest.checked_at > FRESH:
            self._ahead = max(self._smallest, self._ahead // 2)

    async def _look_again(self, outgoing: Outgoing) -> Outgoing | None:
        """Check a letter that has waited; None if it must not go, or cannot be checked now."""
        try:
            turned = await _in_thread(self._ledger.turn, [], [outgoing.ready.claim], 0)
        except SQLAlchemyError:
            self._claims.appendleft(outgoing.ready.claim)
            return None
        return turned.outgoing[0] if turned.outgoing else None

    async def _take_line(self, relay: str, number: int, of: int) -> bool:
        """Take a connection that all senders share; tell whether it is ours."""
        try:
            return await _in_thread(self._ledger.take_line, relay, number, of)
        except SQLAlchemyError:
            return False

    async def _free_line(self, relay: str, number: int) -> None:
        """Give it back. If that fails it is ours still, and will be taken as such."""
        with contextlib.suppress(SQLAlchemyError):
            await _in_thread(self._ledger.free_line, relay, number)

    def _finished(self, done: Done) -> None:
        self._done.append(done)

    async def _tell_of_relays(self) -> None:
        for state in self._relays:
            if state.needs_operator and not state.told:
                text = f"The relay {state.relay.name} does not take our letters: {state.trouble}"
                try:
                    await _in_thread(self._ledger.tell, f"relay-{state.relay.name}", text)
                except SQLAlchemyError:
                    return  # told at the next turn
                state.told = True

    async def _give_back(self) -> None:
        while not self._queue.empty():
            self._claims.append(self._queue.get_nowait().ready.claim)
        await self._release_claims()

    async def _release_claims(self) -> None:
        """Give back the claims that are not ready yet."""
        held, self._claims = self._claims, deque()
        if held:
            try:
                await _in_thread(self._ledger.release, [claim.delivery_id for claim in held])
            except SQLAlchemyError:
                self._claims.extendleft(reversed(held))
                self._unsure = True  # they may be anybody's by now
                raise


async def _in_thread(act: Callable[..., T], *arguments: Any) -> T:
    """Run database work off the loop."""
    return await asyncio.to_thread(act, *arguments)


async def _until_any(seconds: float, *events: asyncio.Event) -> None:
    """Wait until one of the events is set, or so many seconds have passed."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
