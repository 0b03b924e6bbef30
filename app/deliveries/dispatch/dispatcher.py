"""The traffic of one sender: messages pass the gate of their domain, then take a way to a relay.

What has to wait at either is parked: kept by its number, and told to the ledger as such.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock
from app.deliveries.compose.composing import Outgoing
from app.deliveries.destinations.limits import DestinationLimits
from app.deliveries.destinations.throttle import Admission, DestinationBlocked, Throttle
from app.deliveries.dispatch.connection_worker import AttemptResult, ConnectionWorker, is_late
from app.deliveries.dispatch.exchange import LedgerClient
from app.deliveries.dispatch.relay_health import RelayState
from app.deliveries.dispatch.relay_queues import RelayQueues
from app.mail.providers import providers

PACE_EVERY = 0.2  # seconds, while messages wait for the pace of their domains
LEARN_EVERY = 1.0  # else: what other senders heard
SLOW = 2.0  # seconds on a line: then its domain must not take many


class Dispatcher:
    """Gate and ways together. Its verbs are the engine's; none but `pace` and `tell` wait."""

    def __init__(
        self,
        relays: Sequence[RelayState],
        lines: Sequence[int],
        limits: DestinationLimits,
        clock: Clock,
    ) -> None:
        """`lines`: how many connections each relay may have; `limits`: those of domains."""
        self._clock = clock
        self._ways = RelayQueues(relays, lines, clock)
        self._gate = Throttle(limits, sum(lines))
        self._parked: list[int] = []  # the ledger does not know yet that they are
        self._woken: list[int] = []  # their turn has come
        self._news: list[DestinationBlocked] = []
        self._paced_at = -PACE_EVERY

    @property
    def ways(self) -> RelayQueues:
        """The queues of what is ready."""
        return self._ways

    def asks_within(self, seconds: float) -> bool:
        """Whether messages that wait for the pace of their domains may have their turn so soon."""
        return self._gate.has_to_ask(self._clock.now() + timedelta(seconds=seconds))

    @property
    def has_woken(self) -> bool:
        """Whether parked messages are to be opened."""
        return bool(self._woken)

    def group_of(self, message: Outgoing) -> str:
        """Return the group of domains that a message is for."""
        return self._gate.key_of(message)

    def enter(self, message: Outgoing, *, woken: bool = False) -> None:
        """Take in a message that was opened; a `woken` one has waited before."""
        passage = self._gate.enter(message, self._clock.now(), woken=woken)
        if passage is Admission.GOES:
            self.send(message)
        elif passage is Admission.PARKED:
            self._parked.append(message.claim.delivery_id)

    def take_back(self, message: Outgoing) -> None:
        """Take back what a line could not send: it goes another way, or waits for another turn."""
        if is_late(message, self._clock.monotonic()):
            self._gate.missed(message)
            self.enter(message._replace(let_go_at=None), woken=True)
        else:
            self.send(message)

    def send(self, message: Outgoing) -> None:
        """Put a message on the way to a relay."""
        if not self._ways.put(message, self._clock.monotonic()):
            self._parked.append(message.claim.delivery_id)

    def finished(self, done: AttemptResult) -> None:
        """Take in what became of a message."""
        news = self._gate.heard(
            done.outgoing, done.answer, done.verdict.outcome, done.wish, done.seconds, done.at
        )
        if news is not None:
            self._news.append(news)

    def take_parked(self) -> list[int]:
        """Return what the ledger is to be told of as parked."""
        parked, self._parked = self._parked, []
        return parked

    def take_woken(self) -> list[int]:
        """Return the parked messages whose turn it is."""
        woken, self._woken = self._woken, []
        return woken

    def gone(self, delivery_ids: set[int]) -> None:
        """Take notice that these are not ours any more."""
        self._gate.gone(delivery_ids)

    def give_back(self) -> list[int]:
        """Forget every message that is ready or waits; return their numbers."""
        return [*self._ways.empty(), *self._gate.give_back(), *self.take_woken()]

    async def pace(
        self, ledger: LedgerClient, lines: Sequence[ConnectionWorker], *, room: int
    ) -> None:
        """Let go what waits for its group, and for its relay; wake up to `room` parked messages."""
        now = self._clock.monotonic()
        self._make_room(lines, now)
        idle = 0 if len(self._ways) else sum(line.carries is None for line in lines)
        asks = self._gate.asks(self._clock.now(), idle)
        if now - self._paced_at < (PACE_EVERY if asks else LEARN_EVERY):
            return
        self._paced_at = now
        waiting = self._gate.parked_mailings() | self._ways.mailings()
        heard = await asyncio.to_thread(ledger.exchange, asks, waiting)
        self._ways.share_with(heard.senders)
        going = self._gate.given(asks, heard.given, self._clock.now(), self._clock.monotonic())
        for message in [*going, *self._gate.learn(heard.standings)]:
            self.send(message)
        # Ready messages of a mailing that does not run any more are checked again, and released: a
        # relay that has had its hour's messages might not take them for long.
        self._woken += self._ways.taken_of(heard.over) if heard.over else []
        self._woken += self._gate.wake(room - len(self._woken), heard.over)
        self._woken += self._ways.wake(room - len(self._woken), heard.over)

    def _make_room(self, lines: Sequence[ConnectionWorker], now: float) -> None:
        """Take out of the queues what had better wait, or go another way."""
        slow = [
            line.carries for line in lines if line.carries is not None and now - line.since > SLOW
        ]
        crowding = self._gate.crowd(slow) if slow else set()
        for message in self._ways.taken_out(self._gate.key_of, crowding) if crowding else ():
            self.enter(message)
        for message in self._ways.stranded(now):
            self.take_back(message)

    async def tell(self, ledger: LedgerClient) -> None:
        """Tell the operators of groups that sent us away; what fails is told at the next turn."""
        while self._news:
            key, said = self._news[0]
            who = key if key in providers() else "A domain of no great provider"
            text = (
                f"{who} sends our messages away: {said} – Its part of the mailing waits, and one"
                " message asks again after a while; no reader is touched."
            )
            try:
                await asyncio.to_thread(ledger.tell, f"domain-{self._gate.name_of(key)}", text)
            except SQLAlchemyError:
                return
            del self._news[0]
