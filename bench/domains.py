"""How the servers of a receiving domain behave, on script. Pure: what they say depends on the time.

None of it is what a real provider does; each kind shows one thing that real ones do.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Reaction(NamedTuple):
    """What a domain says to a recipient after so many seconds; no reply means yes."""

    reply: str | None = None
    delay: float = 0.0


YES = Reaction()


class Manner(Protocol):
    """How a domain behaves."""

    def hear(self, reader: str, now: float) -> Reaction:
        """React to a message for `reader`."""
        ...


class Plain:
    """Takes everything at once."""

    def hear(self, reader: str, now: float) -> Reaction:
        """React."""
        return YES


@dataclass
class Slow:
    """Takes everything, but thinks about each."""

    seconds: float = 20.0

    def hear(self, reader: str, now: float) -> Reaction:
        """React."""
        return Reaction(None, self.seconds)


@dataclass
class Greylisting:
    """Takes a message that comes again after a while."""

    seconds: float = 300.0
    seen: dict[str, float] = field(default_factory=dict)

    def hear(self, reader: str, now: float) -> Reaction:
        """React."""
        first = self.seen.setdefault(reader, now)
        waited = now - first >= self.seconds
        return YES if waited else Reaction("450 4.2.0 Greylisted, please come again")


@dataclass
class Limited:
    """Takes `most` messages in any `seconds`, complains of more; `closing` cuts the line, too."""

    most: int
    seconds: float = 60.0
    closing: bool = False
    taken: deque[float] = field(default_factory=deque)

    def hear(self, reader: str, now: float) -> Reaction:
        """React."""
        while self.taken and self.taken[0] <= now - self.seconds:
            self.taken.popleft()
        if len(self.taken) < self.most:
            self.taken.append(now)
            return YES
        code = 421 if self.closing else 451
        return Reaction(f"{code} 4.7.28 Rate limit exceeded, slow down")


@dataclass
class Blocking:
    """Sends everything away from one moment to another."""

    begins: float = 0.0
    ends: float = float("inf")
    reply: str = "550 5.7.1 Service unavailable, client host blocked using a DNSBL"

    def hear(self, reader: str, now: float) -> Reaction:
        """React."""
        return Reaction(self.reply) if self.begins <= now < self.ends else YES


@dataclass
class Dead:
    """Cannot be reached; the relay says so after a while."""

    seconds: float = 5.0

    def hear(self, reader: str, now: float) -> Reaction:
        """React."""
        return Reaction("451 4.4.1 No answer from host", self.seconds)


@dataclass
class Forgetful:
    """Knows no reader whose number ends in one of `digits`; the mailboxes of `full` are full."""

    digits: str = "7"
    full: str = ""

    def hear(self, reader: str, now: float) -> Reaction:
        """React."""
        last = reader.partition("@")[0][-1:]
        if last in self.digits:
            return Reaction("550 5.1.1 No such user")
        return Reaction("452 4.2.2 Mailbox full") if last in self.full else YES


# By the word that an audience file calls them.
MANNERS: dict[str, Callable[[], Manner]] = {
    "plain": Plain,
    "slow": Slow,
    "grey": Greylisting,
    "limited": lambda: Limited(120),
    "quota": lambda: Limited(500, seconds=3600.0),
    "blocking": lambda: Blocking(begins=5.0, ends=2 * 3600.0),
    "dead": Dead,
    "forgetful": Forgetful,
}
