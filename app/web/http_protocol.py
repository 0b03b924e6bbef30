"""One client's connection: whatever we wait for has its time, or the connection ends.

A request's head is small and comes in time; what is sent is read in time. What is no HTTP never
reaches an app; it is answered as an app would answer. Nothing that a client does, or that happens
because it has gone, leaves a line in the log, which anybody could fill.
"""

import asyncio
import json
import logging
import socket
import struct
import sys
from http import HTTPStatus
from typing import Any

import h11
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from app.web.connection_table import ConnectionTable
from app.web.problems import MEDIA_TYPE
from app.web.security_headers import HEADERS

HEAD = 16_384  # bytes of a request's line and headers
HEAD_WITHIN = 10.0  # seconds from its first byte, or from the connection's begin, to its last
READ_WITHIN = 20.0  # seconds in which a client reads the next part of what we send it
READ_AT_LEAST = 16_384  # bytes of such a part
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: what the kernel still holds is thrown away

# Uvicorn warns of each thing that a client does wrong; the client gets its answer.
_log = logging.getLogger("uvicorn.error.connection")
_log.setLevel(logging.ERROR)


class Connection(H11Protocol):
    """Speaks HTTP/1.1, and nothing else, with somebody nobody trusts."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        table: ConnectionTable | None = None,
    ) -> None:
        """Leave `table`, which holds it already, when it ends."""
        super().__init__(config, server_state, app_state, _loop)
        self.logger = _log
        self._asgi = self.app
        self.app = self._answered
        self._table = table
        self._waiting: asyncio.TimerHandle | None = None
        self._since = self.loop.time()  # what we wait for now was waited for
        self._unread: tuple[int, float] | None = None  # bytes, and when so many were left
        self._ended = asyncio.Event()
        self._dropped = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Give the first request its time."""
        super().connection_made(transport)
        self._wait()
        if self._dropped:  # to make room, before it had begun
            self.drop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._wait_no_more()
        self._unset_keepalive_if_required()
        self._ended.set()
        if self._table is not None:
            self._table.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Give the next request its time, from its first byte on."""
        if self._is_between_requests() and self._waiting is None:
            self._wait()
        super().data_received(data)

    def handle_events(self) -> None:
        """Wait no more once a head is complete."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._wait_no_more()
            self._since = self.loop.time()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        self._since = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; what is too long for a head has a status of its own."""
        broken = sys.exc_info()[1]
        too_long = isinstance(broken, h11.RemoteProtocolError) and broken.error_status_hint == 431
        self._refuse(431 if too_long else 400)

    def shutdown(self) -> None:
        """Close what is between two requests, however it got there."""
        try:
            super().shutdown()
        except h11.LocalProtocolError:
            self.transport.close()

    def timeout_keep_alive_handler(self) -> None:
        """Close it, whatever was left unsaid."""
        try:
            super().timeout_keep_alive_handler()
        except h11.LocalProtocolError:
            self.transport.close()

    def waits_since(self) -> float | None:
        """Since when we wait for the client: to ask, to finish its request, or to read."""
        if self._is_between_requests() or self.cycle.more_body:
            return self._since
        return None if self._unread is None else self._unread[1]

    def drop(self) -> None:
        """Close it at once; what was not sent is lost, also to the kernel."""
        self._dropped = True
        transport: asyncio.Transport | None = self.transport
        if transport is None:
            return
        sock = transport.get_extra_info("socket")
        if sock is not None and not self._ended.is_set():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()

    def look(self, now: float) -> None:
        """Drop it if the client does not read what we send it, or too slowly."""
        transport: asyncio.Transport | None = self.transport
        if transport is None:
            return
        left = transport.get_write_buffer_size()
        if not left or not (self.flow.write_paused or transport.is_closing()):
            self._unread = None
            return
        before, since = self._unread or (left, now)
        if left > before or left <= before - READ_AT_LEAST:
            before, since = left, now
        self._unread = (before, since)
        if now - since >= READ_WITHIN:
            self.drop()

    def _is_between_requests(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the app. That the client has gone meanwhile is no failure of the app."""
        try:
            await self._asgi(scope, receive, send)
        except (ClientDisconnect, ConnectionError, h11.LocalProtocolError):
            if not self.transport.is_closing():
                raise
            await self._ended.wait()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing in the log: a client may ask, and gets HTTP/1.1 (RFC 9110 §7.8)."""

    def _wait(self) -> None:
        self._since = self.loop.time()
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
