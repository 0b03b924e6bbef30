"""The web server of one port: its settings, its connections, and who looks after them."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from functools import partial
from math import ceil

import uvicorn
from starlette.types import ASGIApp

from app.log import tell_what_is_due
from app.web.acceptor import Acceptor
from app.web.connection_table import ConnectionTable
from app.web.http_protocol import HEAD, Connection

_TICKS = 10  # of a tenth of a second: how often connections are looked after


class HttpServer(uvicorn.Server):
    """A web server that leaves the signals to its process, and accepts connections itself."""

    def __init__(self, app: ASGIApp, table: ConnectionTable, stop_within: float) -> None:
        """Serve `app` to as many clients as the table has room for; begin with `serve(sockets)`.

        `stop_within` is how many seconds requests have to finish when the server stops.
        """
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                h11_max_incomplete_event_size=HEAD,
                ws="none",
                log_config=None,
                access_log=False,  # its lines would hold the tokens in paths
                lifespan="off",
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=5,
                timeout_graceful_shutdown=ceil(stop_within),
            )
        )
        self.table = table
        self._patience = stop_within * 0.9

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take in connections."""
        await self.lifespan.startup()
        create = partial(
            Connection,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            table=self.table,
        )
        acceptors = [Acceptor(sock, self.table, create) for sock in sockets or []]
        self.servers = acceptors  # type: ignore[assignment]  # it only closes them
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        """Once a second, drop clients that do not read, and tell how often lines repeated."""
        if counter % _TICKS == 0:
            now = asyncio.get_running_loop().time()
            for connection in self.table.connections():
                connection.look(now)
            tell_what_is_due()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let requests finish, for a while; then no client is waited for."""
        ending = asyncio.create_task(self._drop_the_rest())
        try:
            await super().shutdown(sockets)
        finally:
            ending.cancel()

    async def _drop_the_rest(self) -> None:
        await asyncio.sleep(self._patience)
        for connection in self.table.connections():
            connection.drop()
