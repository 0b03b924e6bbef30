"""A load: connections that post one sign-up after another, each as soon as the last is answered.

A process of its own, with a protocol of its own: what it costs must not be taken from the server's
share. Prints what it counted as JSON: answers a second, percentiles in milliseconds, statuses.
"""

import asyncio
import json
import sys
import time
from collections import Counter

HEAD = (
    b"POST /v1/subscriptions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)
BODY = b'{"email": "reader%d@example.org", "segments": ["en"], "language": "en", "source": "bench"}'


class _Client(asyncio.Protocol):
    """One connection; all of them share the records."""

    def __init__(self, number: int, took: list[float], seen: Counter[int]) -> None:
        self._number = number
        self._took = took
        self._seen = seen
        self._received = b""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def begin(self, until: float) -> None:
        """Post until then (`time.perf_counter`)."""
        self._until = until
        self._send()

    def _send(self) -> None:
        body = BODY % self._number
        self._number += 1000
        self._sent = time.perf_counter()
        self._transport.write(HEAD % len(body) + body)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        now = time.perf_counter()
        self._took.append(now - self._sent)
        self._seen[int(head[9:12])] += 1
        self._received = b""
        if now < self._until:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0])


async def load(ports: list[int], connections: int, seconds: float) -> dict[str, object]:
    """Load these ports of this machine by so many connections in all."""
    took: list[float] = []
    seen: Counter[int] = Counter()
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(
            lambda number=number: _Client(number, took, seen),  # type: ignore[misc]
            "127.0.0.1",
            ports[number % len(ports)],
        )
        for number in range(connections)
    ]
    began = time.perf_counter()
    for _, client in made:
        client.begin(began + seconds)
    await asyncio.gather(*(client.ended for _, client in made))
    spent = time.perf_counter() - began
    took.sort()
    return {
        "per_second": len(took) / spent,
        "p50_ms": took[len(took) // 2] * 1000,
        "p99_ms": took[len(took) * 99 // 100] * 1000,
        "statuses": {str(status): count for status, count in sorted(seen.items())},
    }


if __name__ == "__main__":
    ports = [int(port) for port in sys.argv[3:]]
    print(json.dumps(asyncio.run(load(ports, int(sys.argv[1]), float(sys.argv[2])))))
