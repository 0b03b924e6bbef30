"""Messages that wait until their group may have them: their numbers only, no address, no message.

They are still claimed by this sender, and known to the database as not handed to a connection.
"""

from array import array
from collections.abc import Collection, Iterable

_COMPACT = 4096


class Parked:
    """A queue of deliveries with their mailings; 16 bytes each, however many there are."""

    def __init__(self) -> None:
        """Begin empty."""
        self._ids = array("q")
        self._mailings = array("q")  # 0 for messages of no mailing
        self._first = 0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._ids) - self._first

    def add(self, delivery_id: int, mailing_id: int | None) -> None:
        """Put one at the end."""
        self._ids.append(delivery_id)
        self._mailings.append(mailing_id or 0)

    def take(self, count: int) -> list[int]:
        """Take up to so many from the front."""
        end = min(self._first + max(count, 0), len(self._ids))
        taken = self._ids[self._first : end].tolist()
        self._first = end
        if self._first > _COMPACT:
            del self._ids[: self._first], self._mailings[: self._first]
            self._first = 0
        return taken

    def mailings(self) -> set[int]:
        """Return the mailings that wait here."""
        return set(self._mailings[self._first :]) - {0}

    def take_of(self, mailings: Collection[int], count: int) -> list[int]:
        """Take up to `count` of these mailings, from wherever they are."""
        taken: list[int] = []
        kept: list[tuple[int, int]] = []
        for delivery_id, mailing_id in self._left():
            if mailing_id in mailings and len(taken) < count:
                taken.append(delivery_id)
            else:
                kept.append((delivery_id, mailing_id))
        if taken:
            self._ids = array("q", (delivery_id for delivery_id, _ in kept))
            self._mailings = array("q", (mailing_id for _, mailing_id in kept))
            self._first = 0
        return taken

    def _left(self) -> Iterable[tuple[int, int]]:
        return zip(self._ids[self._first :], self._mailings[self._first :], strict=True)
