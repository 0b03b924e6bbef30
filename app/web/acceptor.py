"""Takes connections in from a listening socket, as many as there is room for.

asyncio's own way takes in whatever comes; where the process has no file left to open, it tells that
two thousand times a second.
"""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable

from app.log import get_logger
from app.web.connection_table import ConnectionTable
from app.web.http_protocol import Connection

log = get_logger("web")

AT_ONCE = 32  # connections that are taken in before others get a turn
WAIT = 0.5  # seconds to wait when the process or the machine has no file left
_USED_UP = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)


class Acceptor:
    """What takes in the connections of one socket."""

    def __init__(
        self, sock: socket.socket, table: ConnectionTable, create: Callable[[], Connection]
    ) -> None:
        """Begin at once. `create` makes what speaks with one client."""
        self._loop = asyncio.get_running_loop()
        self._socket = sock
        self._table = table
        self._create = create
        self._again: asyncio.TimerHandle | None = None
        self._connecting: set[asyncio.Task[None]] = set()
        sock.settimeout(0)
        self._begin()

    def close(self) -> None:
        """Take in no more."""
        if self._again is not None:
            self._again.cancel()
            self._again = None
        self._loop.remove_reader(self._socket)

    async def wait_closed(self) -> None:
        """Wait until those that were just taken in are known to the table."""
        await asyncio.gather(*self._connecting, return_exceptions=True)

    def _begin(self) -> None:
        self._again = None
        self._loop.add_reader(self._socket, self._accept_some)

    def _accept_some(self) -> None:
        for _ in range(AT_ONCE):
            try:
                sock, address = self._socket.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in _USED_UP:
                    self._wait(error)
                    return
                continue  # that one client has gone again (accept(2))
            self._take_in(sock, str(address[0]))

    def _wait(self, error: OSError) -> None:
        """Let those who are here have their files; they give some back."""
        why = errno.errorcode.get(error.errno or 0, "?")
        log.error("no connection can be taken in: no open file is left", error=why)
        self._loop.remove_reader(self._socket)
        self._again = self._loop.call_later(WAIT, self._begin)

    def _take_in(self, sock: socket.socket, peer: str) -> None:
        sock.settimeout(0)
        if not self._table.make_room(peer):
            log.warning("a client was sent away: there is no room for its connection")
            with contextlib.suppress(OSError):
                sock.send(_BUSY)
            sock.close()
            return
        connection = self._create()
        self._table.add(peer, connection)
        connecting = self._loop.create_task(self._connect(sock, connection))
        self._connecting.add(connecting)
        connecting.add_done_callback(self._connecting.discard)

    async def _connect(self, sock: socket.socket, connection: Connection) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: connection, sock)
        except OSError:
            self._table.discard(connection)
            sock.close()
