"""The engine: it claims messages, has them personalised and sent, and records the results.

The loop owns no truth: whatever it forgets when it dies is in the database or in the attempt
journal. Told to stop, it finishes the messages on the wire and gives the other claims back.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from zlib import crc32

from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock
from app.deliveries.compose.composing import Outgoing
from app.deliveries.compose.worker_pool import WorkerPool
from app.deliveries.destinations.limits import DestinationLimits
from app.deliveries.dispatch.attempt_journal import AttemptJournal
from app.deliveries.dispatch.connection_worker import AttemptResult, ConnectionWorker, WorkerContext
from app.deliveries.dispatch.cut_off import run_workers
from app.deliveries.dispatch.dispatcher import PACE_EVERY, Dispatcher
from app.deliveries.dispatch.exchange import LedgerClient, Report, Turned
from app.deliveries.dispatch.personalising_queue import PersonalisingQueue
from app.deliveries.dispatch.recheck import RecheckQueue
from app.deliveries.dispatch.relay_health import RelayState
from app.deliveries.dispatch.waiting import ends_within, in_thread, pause, until_any
from app.log import get_logger
from app.mail.relay import Relay

log = get_logger("deliveries")

CHUNK = 500  # messages taken on at a time, at most
RECORD_EVERY = 0.05
POLL = 0.25
AFTER_TROUBLE = 1.0


class Engine:
    """Moves due messages to the relays, until told to stop."""

    def __init__(
        self,
        ledger: LedgerClient,
        openers: WorkerPool,
        relays: list[RelayState],
        attempts: AttemptJournal,
        clock: Clock,
        *,
        hostname: str,
        connections: int,
        limits: DestinationLimits | None = None,
    ) -> None:
        """`connections` is how many lines each relay gets; `hostname` is our name in EHLO.

        `limits` are those of receiving domains.
        """
        self._ledger = ledger
        self._openers = openers
        self._relays = relays
        self._attempts = attempts
        self._clock = clock
        lines = [relay.relay.limits.connections or connections for relay in relays]
        self._traffic = Dispatcher(relays, lines, limits or DestinationLimits(), clock)
        self._ways = self._traffic.ways
        shared = WorkerContext(
            hostname,
            attempts,
            clock,
            look_again=self._look_again,
            done=self._finished,
            acquire_connection=self._take_line,
            release_connection=self._free_line,
            give_back=self._traffic.take_back,
            has_others=self._ways.has_others,
            group_of=self._traffic.group_of,
        )
        self._lines = [
            ConnectionWorker(relay, number, of, queue, shared)
            for relay, of, queue in zip(relays, lines, self._ways.queues, strict=True)
            for number in range(of)
        ]
        self._report = Report()
        self._again = RecheckQueue()
        self._intake = PersonalisingQueue(openers, ledger, self._traffic, self._report, clock)
        self._held: set[int] = set()  # what we know to be claimed by us, and is not parked
        self._turned = clock.monotonic()
        self._more = True  # whether the last claim found as much as it asked for
        self._unsure = False  # whether a turn failed, perhaps after it was committed

    async def run(self, stop: asyncio.Event, stop_within: float | None = None) -> None:
        """Work until `stop` is set; then leave nothing claimed.

        `stop_within` is how many seconds that may take. None: as long as relays have by SMTP.
        """
        lines_stopped = asyncio.Event()
        turning = asyncio.create_task(self._turn_until(stop, lines_stopped))
        turning.add_done_callback(lambda _: self._starve(stop))
        try:
            await run_workers(self._lines, stop, _share(stop_within, 0.6))
        finally:
            stop.set()
            lines_stopped.set()
            try:
                if not await ends_within(turning, _share(stop_within, 0.15)):
                    log.warning("the database does not answer; the journal keeps the last results")
            finally:
                self._openers.close()

    def _starve(self, stop: asyncio.Event) -> None:
        """Whatever ended the turns, no line may wait for another."""
        stop.set()
        self._again.end()

    async def _turn_until(self, stop: asyncio.Event, lines_stopped: asyncio.Event) -> None:
        """Take turns with the database until the last message on the wire is recorded."""
        while not lines_stopped.is_set():
            try:
                await self._turn(more=not stop.is_set())
                await self._traffic.pace(self._ledger, self._lines, room=CHUNK - len(self._intake))
                await self._tell_of_relays()
                await self._traffic.tell(self._ledger)
            except SQLAlchemyError as error:
                # What was sent meanwhile is in the attempt journal.
                log.warning("the database does not answer", error=type(error).__name__)
                await pause(lines_stopped, AFTER_TROUBLE)
            await self._rest(lines_stopped)
        await self._intake.end()
        self._give_back()
        with contextlib.suppress(SQLAlchemyError):  # the journal is replayed at the next start
            await self._turn(more=False)

    async def _rest(self, lines_stopped: asyncio.Event) -> None:
        """Wait for the next turn: until messages run low, or results have waited long enough."""
        if self._ways.watch(len(self._intake), more=self._more):
            await asyncio.sleep(0)
            return
        waiting = self._traffic.has_woken or any(r.permits.waiting for r in self._relays)
        busy = self._report or len(self._ways) or len(self._intake) or waiting
        patience = PACE_EVERY if self._traffic.asks_within(POLL) else POLL
        await until_any(RECORD_EVERY if busy else patience, lines_stopped, self._ways.low)

    async def _turn(self, *, more: bool) -> None:
        """Record what is done, and take on more messages if `more` may go."""
        began = self._clock.monotonic()
        if self._nobody_can_send(began):
            self._give_back()
            more = False
        await self._forget_unsure()
        self._ways.adapt(began, more=self._more)
        limit = self._wanted(began) if more else 0
        paced = self._paced() if more else {}
        woken = self._traffic.take_woken() if more else []
        self._report.parked += self._traffic.take_parked()
        if not (self._report or self._again or limit or paced or woken):
            self._openers.rest()
            return
        report, again, unused = self._report.take(), self._again.take(), self._unused_permits()
        self._unsure = bool(limit)
        try:
            turned = await in_thread(
                self._ledger.turn, report, list(again), limit, woken, paced, unused
            )
            self._unsure = False
            opened = {claim.delivery_id for claim in turned.claims}
            gone = again.keys() - turned.again | {*report.released, *woken} - opened
            self._held.difference_update(report.ids, report.parked, gone)
            self._traffic.gone(gone)
            self._take_in(turned, limit, report, frozenset(woken), paced)
            again.answer(turned.again, turned.checked_at)
        except SQLAlchemyError:
            # Permits that may have been given back are not given back again: it is better to send
            # fewer messages in an hour than too many.
            self._report.put_back(report)
            self._report.released += [*again, *woken]
            raise
        finally:
            again.answer(())  # whatever it was: no line waits for ever

    def _wanted(self, now: float) -> int:
        """Return how many messages to claim; an empty queue is asked only so often."""
        if not self._more and now - self._turned < POLL:
            return 0
        return min(max(self._ways.wanted - len(self._intake), 0), CHUNK)

    def _take_in(
        self,
        turned: Turned,
        limit: int,
        report: Report,
        woken: frozenset[int],
        paced: Mapping[Relay, int],
    ) -> None:
        if limit:
            self._more = turned.took == limit
            self._turned = self._clock.monotonic()
        self._attempts.recorded([each.outgoing.claim.delivery_id for each in report.done])
        self._held.update(claim.delivery_id for claim in turned.claims)
        for relay in self._relays:
            permits = turned.permits.get(relay.relay.name, [])
            relay.permits.add(permits)
            if relay.relay in paced:
                relay.permitted(self._clock.monotonic(), any_=bool(permits))
        self._intake.begin(turned, woken)

    def _paced(self) -> dict[Relay, int]:
        """Return how many permits to reserve, where a relay counts messages and some wait."""
        now = self._clock.now()
        wanted = min(len(self._ways) + len(self._intake), CHUNK)
        missing = {r.relay: r.permits.missing(wanted, now) for r in self._relays if r.lines}
        return {relay: count for relay, count in missing.items() if count}

    def _unused_permits(self) -> Counter[int]:
        unused: Counter[int] = Counter()
        for relay in self._relays:
            unused += relay.permits.unused
            relay.permits.unused.clear()
        return unused

    async def _forget_unsure(self) -> None:
        """Give back what a failed turn may have claimed without our knowing."""
        if self._unsure:
            await in_thread(self._ledger.release_unknown, sorted(self._held))
            self._unsure = False

    def _nobody_can_send(self, now: float) -> bool:
        """What is held then could not be cancelled, nor go by another sender: give it back."""
        return all(relay.is_down(now) for relay in self._relays)

    async def _look_again(self, message: Outgoing) -> float | None:
        """Have a message that has waited checked at the next turn.

        Returns when it was; None if it must not go, or could not be checked and goes back.
        """
        self._ways.low.set()
        return await self._again.ask(message.claim.delivery_id)

    async def _take_line(self, relay: str, number: int, of: int) -> bool:
        """Take a connection that all senders share; tell whether it is ours."""
        try:
            return await in_thread(self._ledger.acquire_connection, relay, number, of)
        except SQLAlchemyError:
            return False

    async def _free_line(self, relay: str, number: int) -> None:
        """Give it back. If that fails it is ours still, and will be taken as such."""
        with contextlib.suppress(SQLAlchemyError):
            await in_thread(self._ledger.release_connection, relay, number)

    def _finished(self, done: AttemptResult) -> None:
        self._report.done.append(done)
        self._traffic.finished(done)

    async def _tell_of_relays(self) -> None:
        for state in self._relays:
            if state.needs_operator and not state.told:
                text = f"The relay {state.relay.name} does not take our messages: {state.trouble}"
                try:
                    await in_thread(self._ledger.tell, alert_key(state), text)
                except SQLAlchemyError:
                    return  # told at the next turn
                state.told = True

    def _give_back(self) -> None:
        """Let the next turn give back what is ready, and what waits."""
        self._report.released += self._traffic.give_back()


def alert_key(state: RelayState) -> str:
    """Return what makes two troubles of a relay the same: its words, without numbers and ids."""
    words = " ".join(word for word in state.trouble.split() if word.isalpha())
    return f"relay-{crc32(words.encode()):08x}-{state.relay.name}"


def _share(stop_within: float | None, share: float) -> float | None:
    """Return the seconds that a part of the stop may take."""
    return None if stop_within is None else stop_within * share
