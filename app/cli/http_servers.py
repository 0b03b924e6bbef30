"""A port and the web server behind it."""

import socket
from dataclasses import replace
from datetime import timedelta

from fastapi import FastAPI

from app.addresses.public_keys import PublicKeys
from app.open_files import connections_within, raise_limit
from app.web.connection_table import ConnectionTable
from app.web.http_server import HttpServer

_SHARE = 0.6  # of the time of a stop: what requests get that have begun


class Port:
    """A socket that listens, and the server behind it."""

    def __init__(self, app: FastAPI, sock: socket.socket, stop_within: timedelta) -> None:
        """Answer nobody yet. At a stop, answers in the making get most of `stop_within`."""
        self._app = app
        proxies = app.state.installation.settings.trusted_proxies
        table = ConnectionTable(connections_within(raise_limit()), proxies)
        patience = stop_within.total_seconds() * _SHARE
        self._server = HttpServer(app, table, patience)
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
