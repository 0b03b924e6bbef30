"""One client's connection: a request's head is small and comes in time, or it is refused.

What is no HTTP never reaches an app; it is answered as an app would answer, and leaves no line in
the log, which anybody could fill.
"""

import asyncio
import json
import socket
import sys
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from app.web.problems import MEDIA_TYPE
from app.web.security_headers import HEADERS

HEAD = 16_384  # bytes of a request's line and headers
HEAD_WITHIN = 10.0  # seconds from its first byte, or from the connection's begin, to its last


class Connection(H11Protocol):
    """Speaks HTTP/1.1, and nothing else, with somebody nobody trusts."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Give the first request its time."""
        super().connection_made(transport)
        # Head and body of an answer are two writes. asyncio lets the second go at once, but not on
        # sockets that we listened on ourselves: it waited 40 ms for the client's acknowledgement.
        if (listened := transport.get_extra_info("socket")) is not None:
            listened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Give the next request its time, from its first byte on."""
        cycle: RequestResponseCycle | None = self.cycle
        if (cycle is None or cycle.response_complete) and self._waiting is None:
            self._wait()
        super().data_received(data)

    def handle_events(self) -> None:
        """Wait no more once a head is complete."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._wait_no_more()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; what is too long for a head has a status of its own."""
        broken = sys.exc_info()[1]
        too_long = isinstance(broken, h11.RemoteProtocolError) and broken.error_status_hint == 431
        self._refuse(431 if too_long else 400)

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing in the log: a client may ask, and gets HTTP/1.1 (RFC 9110 §7.8)."""

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(HEAD_WITHIN, self._give_up)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        if not self.transport.is_closing():
            self._refuse(408)

    def _refuse(self, status: int) -> None:
        """Answer and close, if there can still be an answer."""
        said: dict[str, Any] = {"type": "about:blank", "status": status}
        body = json.dumps({**said, "title": HTTPStatus(status).phrase}).encode()
        headers = [*HEADERS, (b"content-type", MEDIA_TYPE.encode()), (b"connection", b"close")]
        length = (b"content-length", b"%d" % len(body))
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            answer = h11.Response(status_code=status, headers=[*headers, length])
            for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
