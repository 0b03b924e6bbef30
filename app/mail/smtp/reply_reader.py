"""SMTP replies as they come over an open connection, one after the other, in order.

What is no reply, and a connection that is gone, end the reading: nothing after that can be matched
to what was said.
"""

import asyncio
from collections import deque
from itertools import islice

_CODES = {str(code).encode(): code for code in range(200, 600)}
_CLOSED = "The relay closed the connection."
_LATE = "The relay did not answer in time."
_NO_REPLY = "The relay answered something that is no SMTP reply."
TICK = 1.0  # seconds
LONGEST_REPLY = 65_536  # octets, all lines of one reply together


Heard = tuple[int, bytes]
"""A reply: its code, and its words, lines apart by LF."""


class ReplyReader(asyncio.Protocol):
    """Reads replies (RFC 5321 §4.2); takes over the transport of a connection that is set up.

    One at a time may wait for a reply. One timer watches over all the waits of a connection: a
    timer for each would cost more than reading what comes.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        """Listen to `transport` from now on."""
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._rest = b""
        self._lines: list[bytes] = []
        self._replies: deque[Heard] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._writable = True
        self.lost = transport.is_closing()
        self.trouble = _CLOSED
        transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        """Collect lines into replies."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line.rstrip(b"\r"))
        if len(self._rest) + sum(map(len, self._lines)) > LONGEST_REPLY:
            self.cut(_NO_REPLY)
        self._wake()

    def _take(self, line: bytes) -> None:
        code, mark = _CODES.get(line[:3]), line[3:4]
        if code is None or mark not in b" -" or self.lost:
            self.cut(_NO_REPLY)
        elif mark == b"-":
            self._lines.append(line[4:])
        elif self._lines:
            self._replies.append((code, b"\n".join((*self._lines, line[4:]))))
            self._lines.clear()
        else:
            self._replies.append((code, line[4:]))

    def connection_lost(self, exc: Exception | None) -> None:
        """Let nobody wait for a reply that cannot come."""
        self.lost = True
        self._wake()
        if self._timer is not None:
            self._timer.cancel()

    def pause_writing(self) -> None:
        """The relay is slower than we are."""
        self._writable = False

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writable = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def say(self, data: bytes) -> None:
        """Write; on a connection that is gone this does nothing, and no reply will come."""
        if not self.lost:
            self._transport.write(data)

    def at_hand(self) -> Heard | None:
        """Return the next reply if it has come already: pipelined replies come together."""
        return self._replies.popleft() if self._replies and self._writable else None

    def all_at_hand(self, *codes: int) -> bool:
        """Take the next replies if they have come already and are just these; else take none."""
        if len(self._replies) < len(codes) or not self._writable:
            return False
        if tuple([code for code, _ in islice(self._replies, len(codes))]) != codes:
            return False
        for _ in codes:
            self._replies.popleft()
        return True

    async def reply(self, seconds: float) -> Heard | None:
        """Return the next reply, or None if none can come or none came in time."""
        self._watch(seconds)
        while not (self._replies and (self._writable or self.lost)):
            if self.lost:
                return None
            self._waiting = self._loop.create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        return self._replies.popleft()

    def _watch(self, seconds: float) -> None:
        """See to it that a wait ends after so many seconds, at most `TICK` later."""
        self._deadline = self._loop.time() + seconds
        at = min(self._deadline, self._loop.time() + TICK)
        if self._timer is not None and self._timer.when() > at:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(at, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._waiting is None or self.lost:
            return  # whoever waits next asks for another look
        left = self._deadline - self._loop.time()
        if left <= 0:
            self._replies.clear()
            self.cut(_LATE)
        else:
            self._timer = self._loop.call_later(min(left, TICK), self._look)

    def cut(self, trouble: str = _CLOSED) -> None:
        """End the connection without a word; `trouble` says why, if nobody said it before."""
        if not self.lost:
            self.trouble = trouble
        self.lost = True
        self._transport.abort()
        self._wake()
