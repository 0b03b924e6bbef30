"""The gate that a sender's letters pass when they are opened: group by group, at its pace.

A group without limits that never complained costs a look into a dictionary. The letters of any
other wait here, a few of them opened, the rest by number; and go when the senders together may.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from app.deliveries.composing import Outgoing
from app.deliveries.groups.group import AT_FULL_SPEED, Group
from app.deliveries.groups.limits import GroupLimits
from app.deliveries.groups.sharing import Ask, Given, Standing
from app.deliveries.groups.wishes import Wish
from app.mail.limits import Limits
from app.mail.replies import Answer, Outcome

HALF = timedelta(seconds=30)  # of the minute over which letters are counted


class Passage(Enum):
    """What becomes of a letter at the gate."""

    GOES = "goes"
    WAITS = "waits"  # opened: it is soon its turn
    PARKED = "parked"  # by its number


class SentAway(NamedTuple):
    """A group that wants nothing of us, by its key, and what it said."""

    key: str
    said: str


def domain_of(letter: Outgoing) -> str:
    """Return the domain that a letter goes to."""
    return letter.recipient.rpartition("@")[2].lower()


class Gate:
    """All groups of one sender. Lives in one thread, and touches no database."""

    def __init__(self, limits: GroupLimits, lines: int = 1) -> None:
        """Begin with nothing heard. `lines` is how many letters may be on the wire together."""
        self._limits = limits
        self._lines = lines
        self._groups: dict[str, Group] = {}
        self._shared: Mapping[str, Standing] = {}
        self._went: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self._turned_at: datetime | None = None

    def name_of(self, key: str) -> str:
        """Return the name under which a group is stored."""
        return self._limits.name(key)

    def key_of(self, letter: Outgoing) -> str:
        """Return the key of the group that a letter is for."""
        return self._limits.of(domain_of(letter)).key

    def enter(self, letter: Outgoing, now: datetime, *, woken: bool = False) -> Passage:
        """Let a letter pass, or keep it. One that was `woken` goes before those that came later."""
        key, limits = self._limits.of(domain_of(letter))
        group = self._groups.get(key) or self._known(key, limits)
        if group is None or not group.is_paced:
            self._count(key, 1, now)
            return Passage.GOES
        return Passage.WAITS if group.keep(letter, woken=woken) else Passage.PARKED

    def missed(self, letter: Outgoing) -> None:
        """Take notice that a letter which was let go did not go; its turn is lost."""
        group = self._groups.get(self.key_of(letter))
        if group is not None:
            group.ended(letter.claim.delivery_id)

    def _known(self, key: str, limits: Limits) -> Group | None:
        """Return a group that has limits, or of which another sender heard."""
        if not (limits.pace or limits.connections or self._shared):
            return None
        name = self._limits.name(key)
        group = Group(key, name, limits, self._shared.get(name, AT_FULL_SPEED))
        if group.is_paced:
            self._groups[key] = group
        return group

    def _count(self, key: str, letters: int, now: datetime) -> None:
        if self._turned_at is None or now - self._turned_at >= HALF:
            late = self._turned_at is None or now - self._turned_at >= 2 * HALF
            self._went = (Counter(), Counter() if late else self._went[0])
            self._turned_at = now
        self._went[0][key] += letters

    def crowd(self, letters: Iterable[Outgoing]) -> set[str]:
        """Take in what has been on lines for long; return groups that have too many of them."""
        found: dict[str, list[Outgoing]] = {}
        for letter in letters:
            found.setdefault(self.key_of(letter), []).append(letter)
        share = max(self._lines // 4, 1)
        crowding = {key for key, its in found.items() if len(its) >= share}
        for key in crowding:
            ids = [letter.claim.delivery_id for letter in found[key]]
            self._ensure(found[key][0]).crowded(share, ids)
        return crowding

    def _ensure(self, letter: Outgoing) -> Group:
        key, limits = self._limits.of(domain_of(letter))
        if key not in self._groups:
            name = self._limits.name(key)
            standing = self._shared.get(name, AT_FULL_SPEED)
            self._groups[key] = Group(key, name, limits, standing)
        return self._groups[key]

    def heard(
        self,
        letter: Outgoing,
        answer: Answer,
        outcome: Outcome,
        wish: Wish,
        seconds: float,
        now: datetime,
    ) -> SentAway | None:
        """Take in what became of a letter; return a group that is blocked from now on.

        `seconds`: how long it was on its line.
        """
        if not self._groups and wish is Wish.NONE:
            return None
        key = self.key_of(letter)
        if key not in self._groups and wish is Wish.NONE:
            return None
        group = self._ensure(letter)
        group.ended(letter.claim.delivery_id)
        group.answered(seconds, self._lines)
        if outcome is Outcome.ACCEPTED:
            group.took()
        elif wish is Wish.SLOWER:
            group.slow_down(self._went[0][key] + self._went[1][key], now)
        elif wish is Wish.AWAY and group.send_away(letter.claim.delivery_id, now):
            return SentAway(key, str(answer.reply))
        return None

    def asks(self, now: datetime, idle: int = 0) -> list[Ask]:
        """Return what to tell the other senders, and to ask of them.

        `idle` lines would have nothing to do.
        """
        return [group.ask(idle) for group in self._groups.values() if group.has_to_ask(now)]

    def given(
        self, asked: Iterable[Ask], given: Mapping[str, Given], now: datetime, at: float = 0.0
    ) -> list[Outgoing]:
        """Take in the answers; return the letters that may go. `at` is `now`, monotonic."""
        by_name = {group.name: group for group in self._groups.values()}
        going: list[Outgoing] = []
        for ask in asked:
            group = by_name[ask.name]
            letters = group.let_go(ask, given[ask.name])
            self._count(group.key, len(letters), now)
            going += (
                [each._replace(let_go_at=at) for each in letters] if group.is_timed else letters
            )
        return going

    def learn(self, shared: Mapping[str, Standing]) -> list[Outgoing]:
        """Take in how all groups stand; return the letters of those that are paced no more."""
        self._shared = shared
        going: list[Outgoing] = []
        for group in list(self._groups.values()):
            going += group.learn(shared.get(group.name, AT_FULL_SPEED))
            if group.is_idle:
                del self._groups[group.key]
        return going

    def wake(self, most: int, over: Iterable[int] = ()) -> list[int]:
        """Return parked letters that are to be opened; all those of mailings that are `over`."""
        woken: list[int] = []
        ended = frozenset(over)
        for group in self._groups.values():
            if ended:
                woken += group.parked.take_of(ended, most - len(woken))
            woken += group.parked.take(min(group.free, most - len(woken)))
        return woken

    def parked_mailings(self) -> set[int]:
        """Return the mailings whose letters are parked."""
        return {m for group in self._groups.values() for m in group.parked.mailings()}

    def gone(self, delivery_ids: Iterable[int]) -> None:
        """Take notice that these are not under way any more."""
        ids = set(delivery_ids) if self._groups else set()
        for group in self._groups.values():
            group.under_way -= ids

    def give_back(self) -> list[int]:
        """Empty the gate; return the number of every letter that waited."""
        return [number for group in self._groups.values() for number in group.empty()]

    def has_to_ask(self, now: datetime) -> bool:
        """Tell whether, by then, there will be something to tell the other senders, or to ask."""
        return any(group.has_to_ask(now) for group in self._groups.values())
