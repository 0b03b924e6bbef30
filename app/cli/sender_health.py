"""The sender's health endpoint: `/health/live` and `/health/ready`, on a port of its own.

It loads no web framework. A request is at most 8 kB and has five seconds; more than a few at once
are not answered.
"""

import asyncio
import json
import socket
from collections.abc import Callable
from http import HTTPStatus

import h11

from app.readiness import Readiness

_MAX_HEAD = 8_192  # bytes
_WITHIN = 5.0  # seconds for a request and its answer
_AT_ONCE = 16


class SenderHealth:
    """Answers whether the sender lives and can work."""

    def __init__(self, readiness: Readiness, is_running: Callable[[], bool]) -> None:
        """`is_running` says whether the sender has begun to work."""
        self._readiness = readiness
        self._is_running = is_running
        self._open = 0

    async def serve(self, sock: socket.socket | None, stop: asyncio.Event) -> None:
        """Answer on this socket until `stop` is set; without one only wait for that."""
        if sock is None:
            await stop.wait()
            return
        server = await asyncio.start_server(self._answer, sock=sock, limit=_MAX_HEAD)
        async with server:
            await stop.wait()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= _AT_ONCE:
                async with asyncio.timeout(_WITHIN):
                    writer.write(await self._reply(reader))
                    await writer.drain()
        except (TimeoutError, OSError, h11.RemoteProtocolError):
            return  # whoever asked is gone, or asked nothing
        finally:
            self._open -= 1
            writer.close()

    async def _reply(self, reader: asyncio.StreamReader) -> bytes:
        """Read one request and return the bytes of its answer."""
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD)
        request = connection.next_event()
        while request is h11.NEED_DATA:
            connection.receive_data(await reader.read(_MAX_HEAD))
            request = connection.next_event()
        if not isinstance(request, h11.Request):
            return b""
        status, said = await self._look(request.method, request.target.partition(b"?")[0])
        body = json.dumps({"status": said}).encode()
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        parts = [
            connection.send(h11.Response(status_code=status, headers=headers)),
            connection.send(h11.Data(data=b"" if request.method == b"HEAD" else body)),
        ]
        return b"".join(part for part in parts if part)

    async def _look(self, method: bytes, path: bytes) -> tuple[int, str]:
        if path not in (b"/health/live", b"/health/ready"):
            return HTTPStatus.NOT_FOUND, "not found"
        if method not in (b"GET", b"HEAD"):
            return HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD"
        if path == b"/health/live":
            return HTTPStatus.OK, "live"
        if not self._is_running():
            return HTTPStatus.SERVICE_UNAVAILABLE, "the sender is starting"
        fault = await asyncio.to_thread(self._readiness.fault)
        return (HTTPStatus.SERVICE_UNAVAILABLE, fault) if fault else (HTTPStatus.OK, "ready")
