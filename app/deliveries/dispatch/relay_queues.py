"""The ways that messages may go: one queue of ready messages for each relay, and who goes by which.

A message is in one queue at a time. What waits for a relay that breaks goes another way: it was not
noted as an attempt yet, so nothing of it can be there twice.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence

from app.clock import Clock
from app.deliveries.compose.composing import Outgoing
from app.deliveries.destinations.parked import Parked
from app.deliveries.destinations.throttle import domain_of
from app.deliveries.dispatch.circuit_breaker import State
from app.deliveries.dispatch.ready_queue import ReadyMessages
from app.deliveries.dispatch.relay_health import RelayState
from app.deliveries.dispatch.relay_selection import Choice, choose

_ENDLESS = 1 << 30


class RelayQueues:
    """All relays' queues."""

    def __init__(self, relays: Sequence[RelayState], lines: Sequence[int], clock: Clock) -> None:
        """`lines`: how many connections each relay may have."""
        self._clock = clock
        self.low = asyncio.Event()
        self.queues = [ReadyMessages(max(count, 1), self.low) for count in lines]
        self.parked = Parked()  # those whose own relay has too many already
        self._relays = relays
        self._choices = [Choice(state.relay, place) for place, state in enumerate(relays)]

    def __len__(self) -> int:
        """How many messages are ready."""
        return sum(queue.qsize() for queue in self.queues)

    def put(self, message: Outgoing, now: float) -> bool:
        """Give a message its way; False if it is parked until its relay has room."""
        if len(self.queues) == 1:
            self.queues[0].put_nowait(message)
            return True
        self._look(now)
        chosen = choose(self._choices, message.segment, domain_of(message))
        if chosen is None:
            self.parked.add(message.claim.delivery_id, message.claim.mailing_id)
            return False
        self.queues[chosen.place].put_nowait(message)
        return True

    def taken_out(self, key_of: Callable[[Outgoing], str], keys: Collection[str]) -> list[Outgoing]:
        """Take out of the queues what is for these groups of domains."""
        taken = []
        for queue in self.queues:
            for message in _drained(queue):
                if key_of(message) in keys:
                    taken.append(message)
                else:
                    queue.put_nowait(message)
        return taken

    def mailings(self) -> set[int]:
        """Return the mailings whose messages are ready or parked."""
        waiting = (message for queue in self.queues for message in queue)
        ready = {message.claim.mailing_id for message in waiting} - {None}
        return self.parked.mailings() | {each for each in ready if each is not None}

    def taken_of(self, mailings: Collection[int]) -> list[int]:
        """Take the letters of these mailings out of the queues; return their numbers."""
        taken = []
        for queue in self.queues:
            if not any(message.claim.mailing_id in mailings for message in queue):
                continue
            for message in _drained(queue):
                if message.claim.mailing_id in mailings:
                    taken.append(message.claim.delivery_id)
                else:
                    queue.put_nowait(message)
        return taken

    def _look(self, now: float) -> None:
        """See which relays may be chosen."""
        some = any(works(state, now) for state in self._relays)
        for choice, queue, state in zip(self._choices, self.queues, self._relays, strict=True):
            # Where all had what they may have, messages wait for them as they do for one.
            choice.works = works(state, now) if some else not state.is_down(now)
            if state.state(now) is State.HALF_OPEN and (state.probing or queue.qsize()):
                choice.works = False
            # Messages are claimed as the unbound ones need them; a bound one may get too many.
            most = max(queue.ahead, 1) * 2 if choice.relay.is_bound else _ENDLESS
            choice.room = most - queue.qsize()

    def _pacemaker(self, now: float) -> tuple[int, float]:
        """Return the relay that is the first to need messages, and how many it takes for all."""
        self._look(now)
        for bound in (False, True):
            kind = [c for c in self._choices if c.works and c.relay.is_bound is bound]
            total = sum(choice.relay.weight for choice in kind)
            needs = [
                (
                    (self.queues[c.place].ahead - self.queues[c.place].qsize())
                    * total
                    / c.relay.weight,
                    c,
                )
                for c in kind
            ]
            if needs:
                need, choice = min(needs, key=lambda each: each[0])
                return choice.place, need
        return 0, 0.0

    def stranded(self, now: float) -> list[Outgoing]:
        """Take the messages of relays that do not work out of their queues, if others do."""
        if len(self.queues) == 1:
            return []
        broken = [place for place, state in enumerate(self._relays) if not works(state, now)]
        if len(broken) == len(self._relays):
            return []
        return [message for place in broken for message in _drained(self.queues[place])]

    def share_with(self, senders: int) -> None:
        """Take notice of how many senders use the relays, ourselves included."""
        for state in self._relays:
            state.senders = senders

    def has_others(self, state: RelayState) -> bool:
        """Whether there is a relay besides this one that works."""
        now = self._clock.monotonic()
        return any(other is not state and works(other, now) for other in self._relays)

    def wake(self, most: int, over: Collection[int] = ()) -> list[int]:
        """Return parked messages to try again: as many as there is room for, and all of `over`."""
        if not len(self.parked):
            return []
        ended = self.parked.take_of(over, most) if over else []
        return ended + self.parked.take(max(min(self.wanted, most - len(ended)), 0))

    @property
    def wanted(self) -> int:
        """How many more messages the queues want."""
        return max(int(self._pacemaker(self._clock.monotonic())[1]), 0)

    def watch(self, in_opening: int, *, more: bool) -> bool:
        """Have `low` set when messages run low; tell whether they do already."""
        self.low.clear()
        place, need = self._pacemaker(self._clock.monotonic())
        queue = self.queues[place]
        share = need / max(queue.ahead - queue.qsize(), 1)  # messages for all, for one of its own
        coming = int(in_opening / share) if share > 0 else in_opening
        for each in self.queues:
            each.low_mark = -1
        queue.low_mark = max(queue.ahead // 2 - coming, 0) if more else -1
        return more and need > 0 and queue.qsize() + coming <= queue.ahead // 2

    def adapt(self, now: float, *, more: bool) -> None:
        """Have as many ready as the lines of each relay need."""
        for queue in self.queues:
            queue.adapt(now, more=more)

    def empty(self) -> Iterator[int]:
        """Take out every message; yield their numbers."""
        for queue in self.queues:
            yield from (message.claim.delivery_id for message in _drained(queue))
        yield from self.parked.take(len(self.parked))


def works(state: RelayState, now: float) -> bool:
    """Whether messages may be given to a relay now."""
    return not state.is_down(now) and not state.is_used_up(now)


def _drained(queue: ReadyMessages) -> list[Outgoing]:
    return [queue.get_nowait() for _ in range(queue.qsize())]
