"""SMTP replies as they come over an open connection, one after the other, in order.

What is no reply, and a connection that is gone, end the reading: nothing after that can be matched
to what was said.
"""

import asyncio
import re
from collections import deque

_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?", re.DOTALL)
_CLOSED = "The relay closed the connection."
_LATE = "The relay did not answer in time."
_NO_REPLY = "The relay answered something that is no SMTP reply."
LONGEST_REPLY = 65_536  # octets, all lines of one reply together


class Wire(asyncio.Protocol):
    """Reads replies (RFC 5321 §4.2); takes over the transport of a connection that is set up."""

    def __init__(self, transport: asyncio.Transport) -> None:
        """Listen to `transport` from now on."""
        self._transport = transport
        self._buffer = bytearray()
        self._lines: list[bytes] = []
        self._replies: deque[tuple[int, str]] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self.lost = transport.is_closing()
        self.trouble = _CLOSED
        transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        """Collect lines into replies."""
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end]).rstrip(b"\r")
            del self._buffer[: end + 1]
            self._take(line)
        if len(self._buffer) + sum(map(len, self._lines)) > LONGEST_REPLY:
            self.cut(_NO_REPLY)

    def _take(self, line: bytes) -> None:
        match = _LINE.fullmatch(line)
        if match is None or self.lost:
            self.cut(_NO_REPLY)
            return
        self._lines.append(match[3] or b"")
        if match[2] != b"-":
            text = b"\n".join(self._lines).decode("utf-8", "surrogateescape")
            self._lines.clear()
            self._replies.append((int(match[1]), text))
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let nobody wait for a reply that cannot come."""
        self.lost = True
        self._writable.set()
        self._wake()

    def pause_writing(self) -> None:
        """The relay is slower than we are."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writable.set()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def say(self, data: bytes) -> None:
        """Write; on a connection that is gone this does nothing, and no reply will come."""
        if not self.lost:
            self._transport.write(data)

    async def reply(self, seconds: float) -> tuple[int, str] | None:
        """Return the next reply, or None if none can come or none came in time."""
        if self._replies and self._writable.is_set():  # pipelined replies come together
            return self._replies.popleft()
        try:
            async with asyncio.timeout(seconds):
                await self._writable.wait()
                while not self._replies:
                    if self.lost:
                        return None
                    self._waiting = asyncio.get_running_loop().create_future()
                    await self._waiting
        except TimeoutError:
            self.cut(_LATE)
            return None
        return self._replies.popleft()

    def cut(self, trouble: str = _CLOSED) -> None:
        """End the connection without a word; `trouble` says why, if nobody said it before."""
        if not self.lost:
            self.trouble = trouble
        self.lost = True
        self._transport.abort()
        self._wake()
