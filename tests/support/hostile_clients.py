"""Clients that mean harm, on loopback: they hold connections, stall, never read, or go away."""

import contextlib
import resource
import select
import socket
from collections.abc import Iterator, Sequence
from typing import Self

POST = b"POST /v1/subscriptions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GET = b"GET /form HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextlib.contextmanager
def many_files() -> Iterator[None]:
    """Let this process open as many files as it may at all: who attacks needs many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Swarm:
    """Many connections to one port of this machine, from one address or from several."""

    def __init__(self, port: int, callers: Sequence[str] = ("127.0.0.1",)) -> None:
        """Connect nothing yet."""
        self._port = port
        self._callers = callers
        self.connections: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self.connections:
            each.close()

    def connect(self, count: int) -> None:
        """Open so many more; what the service refuses or cuts is its own affair."""
        for number in range(count):
            caller = self._callers[number % len(self._callers)]
            with contextlib.suppress(OSError):
                made = socket.create_connection(
                    ("127.0.0.1", self._port), timeout=10, source_address=(caller, 0)
                )
                self.connections.append(made)

    def send(self, data: bytes) -> None:
        """Send the same on all of them, as far as each is taken."""
        for each in self.connections:
            each.settimeout(0)
            with contextlib.suppress(OSError):
                each.send(data)

    def stuff(self, data: bytes, times: int) -> None:
        """Send again and again without ever reading, until nothing more is taken."""
        for _ in range(times):
            self.send(data)

    def leave(self, *, rudely: bool = False) -> None:
        """Close all, with a reset if `rudely`."""
        for each in self.connections:
            if rudely:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            each.close()
        self.connections.clear()

    def held(self) -> int:
        """How many of them the service has not ended; nothing is read but the end."""
        return sum(not _is_over(each) for each in self.connections)


def _is_over(connection: socket.socket) -> bool:
    """Whether the other side has closed or reset it, whatever lies unread before that."""
    watch = select.poll()
    watch.register(connection, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    return bool(watch.poll(0))
