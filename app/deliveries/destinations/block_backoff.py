"""Blocks: a group of domains that sends us away is left alone, and asked again now and then. Pure.

One such reply may be about one reader; the same from several, with none taken in between, is about
us. While blocked the group gets no message but a probe, ever more seldom, and no reader is touched.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

REPEATS = 3  # readers in a row
_M = timedelta(minutes=1)
WAITS = (15 * _M, 30 * _M, 60 * _M, 120 * _M, 240 * _M)


@dataclass(frozen=True, slots=True)
class Block:
    """No message but a probe until `until`; `times` counts the waits so far."""

    until: datetime
    times: int


def block(earlier: Block | None, now: datetime) -> Block:
    """Begin a block; what is heard while there is one changes nothing."""
    return earlier or Block(now + WAITS[0], 1)


def probe(blocked: Block, now: datetime) -> Block | None:
    """Ask again with one message, and wait longer if it is not taken; None: it is too early."""
    if now < blocked.until:
        return None
    return Block(now + WAITS[min(blocked.times, len(WAITS) - 1)], blocked.times + 1)


@dataclass
class Refusals:
    """Which messages were sent away in a row; a sender's own memory."""

    messages: set[int] = field(default_factory=set)

    def sent_away(self, delivery_id: int) -> bool:
        """Count a message, each once; tell whether they are too many to be chance."""
        self.messages.add(delivery_id)
        return len(self.messages) >= REPEATS

    def taken(self) -> None:
        """A message was taken: the row is broken."""
        self.messages.clear()
