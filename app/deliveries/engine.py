"""The engine: claims letters, sends them over many lines, records what came of them, and rests.

The loop owns no truth: whatever it forgets when it dies is in the database or in the attempt
journal. Told to stop, it finishes the letters on the wire and gives the other claims back.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock
from app.deliveries.attempts import AttemptJournal
from app.deliveries.claiming import Claim
from app.deliveries.composing import Outgoing
from app.deliveries.ledger import Ledger
from app.deliveries.relays import RelayState
from app.deliveries.sending import Done, Line
from app.journal import journal

T = TypeVar("T")
log = journal("deliveries")

CLAIM = 500  # letters taken on at a time
CHUNK = 200  # letters looked at and composed at a time, at most
AHEAD = 0.25  # seconds' worth of letters to have ready: what is ready longer must be checked again
RECORD_EVERY = 0.05
POLL = 0.25
AFTER_TROUBLE = 1.0


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
        lines = connections * len(relays)
        self._queue: asyncio.Queue[Outgoing] = asyncio.Queue()
        self._lines = [
            Line(relay, hostname, self._queue, attempts, clock, self._look_again, self._finished)
            for relay in relays
            for _ in range(connections)
        ]
        self._smallest = max(lines, 1)
        self._claims: deque[Claim] = deque()
        self._done: list[Done] = []
        self._rate = 0.0  # letters per second, smoothed
        self._unsure = False  # whether a claim failed, perhaps after it was committed

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then leave nothing claimed."""
        recording_stops = asyncio.Event()
        recorder = asyncio.create_task(self._record_loop(recording_stops))
        try:
            async with asyncio.TaskGroup() as group:
                for line in self._lines:
                    group.create_task(line.run(stop))
                group.create_task(self._feed(stop))
        finally:
            recording_stops.set()
            await recorder
            await self._give_back()

    async def _feed(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                idle = await self._feed_once()
            except SQLAlchemyError as error:
                log.warning("the database does not answer", error=type(error).__name__)
                await _pause(stop, AFTER_TROUBLE)
                continue
            if idle:
                await _pause(stop, 0.005 if self._queue.qsize() else POLL)

    async def _feed_once(self) -> bool:
        """Make some letters ready; return whether there is nothing more to do just now."""
        now = self._clock.monotonic()
        if all(relay.is_down(now) for relay in self._relays):
            # Nobody can send: what is held here could not be cancelled, nor go by another sender.
            await self._give_back()
            return True
        return self._queue.qsize() >= self._ahead() or not await self._prepare_more()

    def _ahead(self) -> int:
        return max(self._smallest, min(CHUNK, int(self._rate * AHEAD)))

    async def _prepare_more(self) -> bool:
        if not self._claims:
            self._claims.extend(await self._claim())
        if not self._claims:
            return False
        chunk = [self._claims.popleft() for _ in range(min(self._ahead(), len(self._claims)))]
        try:
            ready = await _in_thread(self._ledger.prepare, chunk)
        except SQLAlchemyError:
            self._claims.extendleft(reversed(chunk))
            raise
        for outgoing in ready:
            self._queue.put_nowait(outgoing)
        return True

    async def _claim(self) -> list[Claim]:
        """Take on letters, about as many as go in a second: what comes after them waits so long."""
        if self._unsure:
            await _in_thread(self._ledger.release_untouched)
        limit = max(2 * self._smallest, min(CLAIM, int(self._rate)))
        self._unsure = True
        claims = await _in_thread(self._ledger.claim, limit)
        self._unsure = False
        return claims

    async def _look_again(self, outgoing: Outgoing) -> Outgoing | None:
        """Check a letter that has waited; None if it must not go, or cannot be checked now."""
        try:
            again = await _in_thread(self._ledger.prepare, [outgoing.ready.claim])
        except SQLAlchemyError:
            self._claims.appendleft(outgoing.ready.claim)
            return None
        return again[0] if again else None

    def _finished(self, done: Done) -> None:
        self._done.append(done)

    async def _record_loop(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            before = self._clock.monotonic()
            await _pause(stop, RECORD_EVERY)
            count = await self._record()
            await self._tell_of_relays()
            elapsed = max(self._clock.monotonic() - before, 1e-3)
            self._rate += 0.2 * (count / elapsed - self._rate)
        await self._record()

    async def _record(self) -> int:
        done, self._done = self._done, []
        if done:
            try:
                await _in_thread(self._ledger.record, done)
            except SQLAlchemyError as error:
                # The attempt journal knows them meanwhile.
                log.warning("results wait to be recorded", error=type(error).__name__)
                self._done[:0] = done
                return 0
            self._attempts.recorded([each.outgoing.ready.claim.delivery_id for each in done])
        return len(done)

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
        if self._claims:
            held = list(self._claims)
            await _in_thread(self._ledger.release, [claim.delivery_id for claim in held])
            self._claims.clear()


async def _in_thread(act: Callable[..., T], *arguments: Any) -> T:
    """Run database work off the loop."""
    return await asyncio.to_thread(act, *arguments)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
