"""Who is connected to a port: capped in total and for each client, and who has to go for others.

A client is what the rate limits count as one (an IPv4 address, an IPv6 /56). Where there is no
room, the connection that has waited longest for its client goes: never one that we are working on.
The connections of a trusted proxy are those of many clients: only the total caps them.
"""

from collections.abc import Iterable
from typing import Protocol

from app.settings import Networks
from app.web.client_ip import parsed, prefix

EACH_AT_MOST = 64  # connections of one client


class Held(Protocol):
    """A connection, as the table sees it."""

    def waits_since(self) -> float | None:
        """Since when we wait for the client, on the loop's clock; None if the client waits."""

    def drop(self) -> None:
        """Close it at once; what was not sent is lost."""

    def look(self, now: float) -> None:
        """Drop it if its client does not read what we send."""


class ConnectionTable:
    """The connections of one port."""

    def __init__(self, total: int, proxies: Networks = Networks()) -> None:  # noqa: B008 - a value
        """Hold at most `total` of them; peers among the `proxies` have no cap of their own."""
        self.total = total
        self.each = max(1, min(EACH_AT_MOST, total // 4))
        self._proxies = proxies
        self._clients: dict[str, dict[Held, None]] = {}
        self._places: dict[Held, str] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._places)

    def connections(self) -> list[Held]:
        """Return those that there are now."""
        return list(self._places)

    def make_room(self, peer: str) -> bool:
        """Make room for one more connection of this peer; False if all that could go are at work.

        A client that has too many gives up one of its own; where all together are too many, the
        client that has most does.
        """
        client, is_proxy = self._client(peer)
        own = self._clients.get(client, {})
        if not is_proxy and len(own) >= self.each:
            return self._drop_longest(own)
        if len(self) < self.total:
            return True
        most_first = sorted(self._clients.values(), key=len, reverse=True)
        return any(map(self._drop_longest, most_first))

    def add(self, peer: str, connection: Held) -> None:
        """Take it in."""
        client, _ = self._client(peer)
        self._clients.setdefault(client, {})[connection] = None
        self._places[connection] = client

    def discard(self, connection: Held) -> None:
        """Forget a connection that is no more."""
        client = self._places.pop(connection, None)
        if client is None:
            return
        del self._clients[client][connection]
        if not self._clients[client]:
            del self._clients[client]

    def _client(self, peer: str) -> tuple[str, bool]:
        address = parsed(peer)
        return prefix(address), address is not None and self._proxies.hold(address)

    def _drop_longest(self, connections: Iterable[Held]) -> bool:
        waiting = {each: since for each in connections if (since := each.waits_since()) is not None}
        if not waiting:
            return False
        longest = min(waiting, key=lambda each: waiting[each])
        self.discard(longest)
        longest.drop()
        return True
