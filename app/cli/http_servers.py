"""A port and the web server behind it; the settings of that server."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import uvicorn
from fastapi import FastAPI

from app.addresses.public_keys import PublicKeys
from app.web.http_protocol import HEAD, Connection


class Port:
    """A socket that listens, and the server behind it."""

    def __init__(self, app: FastAPI, sock: socket.socket, stop_within: timedelta) -> None:
        """Answer nobody yet. At a stop, answers in the making get most of `stop_within`."""
        self._app = app
        self._server = _web(app, stop_within)
        self._socket = sock

    async def serve(self) -> None:
        """Serve until told to stop."""
        await self._server.serve(sockets=[self._socket])

    def give(self, keys: PublicKeys) -> None:
        """Let those who answer use these keys from now on; of a whole keyring the public part."""
        state = self._app.state
        state.installation = replace(state.installation, keys=keys.public())

    def stop(self) -> None:
        """Tell it to finish what is begun."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """A web server that leaves the signals to the supervisor."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _web(app: FastAPI, stop_within: timedelta) -> _Server:
    config = uvicorn.Config(
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
        timeout_graceful_shutdown=max(int(stop_within.total_seconds() * 0.6), 1),
    )
    return _Server(config)
