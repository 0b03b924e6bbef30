"""The gate that a sender's messages pass when they are opened: group by group, at its pace.

A group without limits that never complained costs a look into a dictionary. The messages of any
other wait here, a few of them opened, the rest by number; and go when the senders together may.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from app.deliveries.compose.composing import Outgoing
from app.deliveries.destinations.coordination import ThrottleGrant, ThrottleRequest, ThrottleState
from app.deliveries.destinations.destination import AT_FULL_SPEED, Destination
from app.deliveries.destinations.limits import DestinationLimits
from app.deliveries.destinations.throttle_signals import ThrottleSignal
from app.mail.limits import Limits
from app.mail.replies import Answer, Outcome

HALF = timedelta(seconds=30)  # of the minute over which messages are counted


class Admission(Enum):
    """What becomes of a message at the gate."""

    GOES = "goes"
    WAITS = "waits"  # opened: it is soon its turn
    PARKED = "parked"  # by its number


class DestinationBlocked(NamedTuple):
    """A group that wants nothing of us, by its key, and what it said."""

    key: str
    said: str


def domain_of(message: Outgoing) -> str:
    """Return the domain that a message goes to."""
    return message.recipient.rpartition("@")[2].lower()


class Throttle:
    """All groups of one sender. Lives in one thread, and touches no database."""

    def __init__(self, limits: DestinationLimits, lines: int = 1) -> None:
        """Begin with nothing heard. `lines` is how many messages may be on the wire together."""
        self._limits = limits
        self._lines = lines
        self._groups: dict[str, Destination] = {}
        self._shared: Mapping[str, ThrottleState] = {}
        self._went: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self._turned_at: datetime | None = None

    def name_of(self, key: str) -> str:
        """Return the name under which a group is stored."""
        return self._limits.name(key)

    def key_of(self, message: Outgoing) -> str:
        """Return the key of the group that a message is for."""
        return self._limits.of(domain_of(message)).key

    def enter(self, message: Outgoing, now: datetime, *, woken: bool = False) -> Admission:
        """Let a message pass, or keep it. A `woken` one goes before those that came later."""
        key, limits = self._limits.of(domain_of(message))
        group = self._groups.get(key) or self._known(key, limits)
        if group is None or not group.is_paced:
            self._count(key, 1, now)
            return Admission.GOES
        return Admission.WAITS if group.keep(message, woken=woken) else Admission.PARKED

    def missed(self, message: Outgoing) -> None:
        """Take notice that a message which was let go did not go; its turn is lost."""
        group = self._groups.get(self.key_of(message))
        if group is not None:
            group.ended(message.claim.delivery_id)

    def _known(self, key: str, limits: Limits) -> Destination | None:
        """Return a group that has limits, or of which another sender heard."""
        if not (limits.pace or limits.connections or self._shared):
            return None
        name = self._limits.name(key)
        group = Destination(key, name, limits, self._shared.get(name, AT_FULL_SPEED))
        if group.is_paced:
            self._groups[key] = group
        return group

    def _count(self, key: str, messages: int, now: datetime) -> None:
        if self._turned_at is None or now - self._turned_at >= HALF:
            late = self._turned_at is None or now - self._turned_at >= 2 * HALF
            self._went = (Counter(), Counter() if late else self._went[0])
            self._turned_at = now
        self._went[0][key] += messages

    def crowd(self, messages: Iterable[Outgoing]) -> set[str]:
        """Take in what has been on lines for long; return groups that have too many of them."""
        found: dict[str, list[Outgoing]] = {}
        for message in messages:
            found.setdefault(self.key_of(message), []).append(message)
        share = max(self._lines // 4, 1)
        crowding = {key for key, its in found.items() if len(its) >= share}
        for key in crowding:
            ids = [message.claim.delivery_id for message in found[key]]
            self._ensure(found[key][0]).crowded(share, ids)
        return crowding

    def _ensure(self, message: Outgoing) -> Destination:
        key, limits = self._limits.of(domain_of(message))
        if key not in self._groups:
            name = self._limits.name(key)
            standing = self._shared.get(name, AT_FULL_SPEED)
            self._groups[key] = Destination(key, name, limits, standing)
        return self._groups[key]

    def heard(
        self,
        message: Outgoing,
        answer: Answer,
        outcome: Outcome,
        wish: ThrottleSignal,
        seconds: float,
        now: datetime,
    ) -> DestinationBlocked | None:
        """Take in what became of a message; return a group that is blocked from now on.

        `seconds`: how long it was on its line.
        """
        if not self._groups and wish is ThrottleSignal.NONE:
            return None
        key = self.key_of(message)
        if key not in self._groups and wish is ThrottleSignal.NONE:
            return None
        group = self._ensure(message)
        group.ended(message.claim.delivery_id)
        group.answered(seconds, self._lines)
        if outcome is Outcome.ACCEPTED:
            group.took()
        elif wish is ThrottleSignal.SLOWER:
            group.slow_down(self._went[0][key] + self._went[1][key], now)
        elif wish is ThrottleSignal.AWAY and group.send_away(message.claim.delivery_id, now):
            return DestinationBlocked(key, str(answer.reply))
        return None

    def asks(self, now: datetime, idle: int = 0) -> list[ThrottleRequest]:
        """Return what to tell the other senders, and to ask of them.

        `idle` lines would have nothing to do.
        """
        return [group.ask(idle) for group in self._groups.values() if group.has_to_ask(now)]

    def given(
        self,
        asked: Iterable[ThrottleRequest],
        given: Mapping[str, ThrottleGrant],
        now: datetime,
        at: float = 0.0,
    ) -> list[Outgoing]:
        """Take in the answers; return the messages that may go. `at` is `now`, monotonic."""
        by_name = {group.name: group for group in self._groups.values()}
        going: list[Outgoing] = []
        for ask in asked:
            group = by_name[ask.name]
            messages = group.let_go(ask, given[ask.name])
            self._count(group.key, len(messages), now)
            going += (
                [each._replace(let_go_at=at) for each in messages] if group.is_timed else messages
            )
        return going

    def learn(self, shared: Mapping[str, ThrottleState]) -> list[Outgoing]:
        """Take in how all groups stand; return the messages of those that are paced no more."""
        self._shared = shared
        going: list[Outgoing] = []
        for group in list(self._groups.values()):
            going += group.learn(shared.get(group.name, AT_FULL_SPEED))
            if group.is_idle:
                del self._groups[group.key]
        return going

    def wake(self, most: int, over: Iterable[int] = ()) -> list[int]:
        """Return parked messages that are to be opened; all those of mailings that are `over`."""
        woken: list[int] = []
        ended = frozenset(over)
        for group in self._groups.values():
            if ended:
                woken += group.parked.take_of(ended, most - len(woken))
            woken += group.parked.take(min(group.free, most - len(woken)))
        return woken

    def parked_mailings(self) -> set[int]:
        """Return the mailings whose messages are parked."""
        return {m for group in self._groups.values() for m in group.parked.mailings()}

    def gone(self, delivery_ids: Iterable[int]) -> None:
        """Take notice that these are not under way any more."""
        ids = set(delivery_ids) if self._groups else set()
        for group in self._groups.values():
            group.under_way -= ids

    def give_back(self) -> list[int]:
        """Empty the gate; return the number of every message that waited."""
        return [number for group in self._groups.values() for number in group.empty()]

    def has_to_ask(self, now: datetime) -> bool:
        """Tell whether, by then, there will be something to tell the other senders, or to ask."""
        return any(group.has_to_ask(now) for group in self._groups.values())
