"""One group of receiving domains as one sender sees it: how it stands, and who waits for it."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from app.deliveries.compose.composing import Outgoing
from app.deliveries.destinations.aimd import halve
from app.deliveries.destinations.block_backoff import Refusals, block
from app.deliveries.destinations.coordination import ThrottleGrant, ThrottleRequest, ThrottleState
from app.deliveries.destinations.parked import Parked
from app.mail.limits import Limits

AT_FULL_SPEED = ThrottleState(None, None)
READY = 100  # messages that are kept opened, at most
SOON = 1.0  # seconds in which a message should be off its line
AHEAD = 3.0  # seconds of the group's pace for which messages are kept opened


@dataclass
class Destination:
    """A group with its messages: `ready` ones are opened, `parked` ones known by number."""

    key: str
    name: str
    limits: Limits
    standing: ThrottleState = AT_FULL_SPEED
    ready: deque[Outgoing] = field(default_factory=deque)
    parked: Parked = field(default_factory=Parked)
    under_way: set[int] = field(default_factory=set)
    refusals: Refusals = field(default_factory=Refusals)
    slower: float | None = None  # it wished so, when so many messages a minute went
    away: bool = False
    taken: bool = False
    held: int = 0  # how many under way the other senders know of
    again_at: datetime | None = None  # before this there is nothing more to be had
    crowd: int | None = None  # how many lines it may take at a time, because it is slow

    @property
    def is_paced(self) -> bool:
        """Whether its messages have to wait for their turn."""
        limited = self.limits.pace or self.limits.connections is not None
        return limited or self.standing != AT_FULL_SPEED or self.crowd is not None

    @property
    def is_timed(self) -> bool:
        """Whether its messages are counted by time, so that each has to use its turn at once."""
        return self.limits.pace or self.standing.speed is not None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is lost if it is forgotten."""
        waiting = self.ready or len(self.parked) or self.under_way or self.refusals.messages
        at_rest = self.standing == AT_FULL_SPEED and self.crowd is None
        return at_rest and not (waiting or self.has_news or self.held != len(self.under_way))

    @property
    def has_news(self) -> bool:
        """Whether the other senders do not know yet what we heard."""
        return self.slower is not None or self.away or self.taken

    def has_to_ask(self, now: datetime) -> bool:
        """Whether there is something to tell or to ask."""
        freed = self.limits.connections is not None and self.held != len(self.under_way)
        in_vain = self.again_at is not None and now < self.again_at
        return self.has_news or freed or (bool(self.ready) and not in_vain)

    @property
    def room(self) -> int:
        """How many messages to keep opened: what may go in the next seconds, and no more."""
        speed, blocked = self.standing
        if blocked is not None:
            return 1
        most = [float(self.limits.per_minute)] if self.limits.per_minute else []
        most += [speed.per_minute] if speed else []
        return min(max(int(min(most) / 60 * AHEAD), 1), READY) if most else READY

    @property
    def free(self) -> int:
        """How many more may be opened."""
        return max(self.room - len(self.ready), 0)

    def keep(self, message: Outgoing, *, woken: bool) -> bool:
        """Keep a message; True if it stays opened. What somebody waits for goes first."""
        claim = message.claim
        if claim.mailing_id is None and len(self.ready) < READY:
            self.ready.appendleft(message)
        elif woken or (self.free and not len(self.parked)):
            self.ready.append(message)
        else:
            self.parked.add(claim.delivery_id, claim.mailing_id)
            return False
        return True

    def ended(self, delivery_id: int) -> None:
        """Take notice that a message is not under way any more."""
        self.under_way.discard(delivery_id)

    def took(self) -> None:
        """It took a message."""
        self.refusals.taken()
        self.taken = self.taken or self.standing != AT_FULL_SPEED

    def slow_down(self, went: int, now: datetime) -> None:
        """Slow it down at once; the others hear of it soon."""
        most = self.limits.per_minute
        now_went = float(min(went, most) if most else went)
        self.slower = max(now_went, self.slower or 0.0)
        self.standing = ThrottleState(
            halve(self.standing.speed, now_went, now), self.standing.block
        )

    def send_away(self, delivery_id: int, now: datetime) -> bool:
        """Count a message that it wanted nothing of; True if that begins a block."""
        known = self.standing.block is not None
        if known or not self.refusals.sent_away(delivery_id):
            return False
        self.away = True
        self.standing = ThrottleState(self.standing.speed, block(None, now))
        return True

    def crowded(self, lines: int, delivery_ids: Iterable[int]) -> None:
        """Leave it so many lines, and no more: it holds these messages on lines for long."""
        self.crowd = lines
        self.under_way.update(delivery_ids)

    def answered(self, seconds: float, lines: int) -> None:
        """Leave it more of our `lines` if it answers soon, and in the end all of them."""
        if self.crowd is not None and seconds < SOON:
            self.crowd = None if self.crowd * 2 >= lines else self.crowd * 2

    def ask(self, idle: int = 0) -> ThrottleRequest:
        """What to tell the other senders, and to ask of them. `idle` lines have nothing to do."""
        lines = len(self.ready)
        if self.crowd is not None:
            lines = max(self.crowd - len(self.under_way), idle, 0)
        return ThrottleRequest(
            self.name,
            self.limits,
            wanted=min(len(self.ready), lines),
            under_way=len(self.under_way),
            slower=self.slower,
            away=self.away,
            taken=self.taken,
        )

    def let_go(self, ask: ThrottleRequest, given: ThrottleGrant) -> list[Outgoing]:
        """Take in the answer to `ask`; return the messages that may go."""
        if self.slower == ask.slower:
            self.slower = None
        self.away = self.away and not ask.away
        self.taken = self.taken and not ask.taken
        if not self.has_news:
            self.standing = given.standing
        going = [self.ready.popleft() for _ in range(min(given.messages, len(self.ready)))]
        self.under_way.update(each.claim.delivery_id for each in going)
        self.held = ask.under_way + given.messages
        self.again_at = given.again_at
        return going

    def learn(self, standing: ThrottleState) -> list[Outgoing]:
        """Take in how it stands; return all that is opened if it is paced no more."""
        if not self.has_news:
            if standing != self.standing:
                self.again_at = None
            self.standing = standing
        if self.is_paced:
            return []
        going = list(self.ready)
        self.ready.clear()
        return going

    def empty(self) -> Iterator[int]:
        """Forget all messages that wait; yield their numbers."""
        while self.ready:
            yield self.ready.popleft().claim.delivery_id
        yield from self.parked.take(len(self.parked))
