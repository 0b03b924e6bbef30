"""The ports of a process: the readers' and the operators', each a web server of its own."""

import contextlib
import errno
import socket
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import uvicorn
from fastapi import FastAPI

from app.addresses.keyring import PublicKeys
from app.cli.app_context import CommandContext
from app.server import create_operators, create_public
from app.settings import Listen, SettingWrong
from app.web.context import AppContext
from app.web.http_protocol import HEAD, Connection


class Ports:
    """Ports that are open, and the servers behind them."""

    def __init__(
        self, opened: CommandContext, keys: PublicKeys, *, public: bool, operators: bool
    ) -> None:
        """Open them; nobody answers yet. Raises SettingWrong."""
        settings = opened.settings
        here = AppContext(settings, opened.database, opened.clock, opened.newsletter, keys.public())
        self._apps: list[FastAPI] = []
        self._servers: list[tuple[_Server, socket.socket]] = []
        if public:
            sock = _listening("VESTKA_PUBLIC_LISTEN", settings.public_listen)
            self._add(create_public(here), sock, settings.stop_within)
        if operators:
            sock = _listening("VESTKA_OPERATORS_LISTEN", settings.operators_listen)
            self._add(create_operators(here), sock, settings.stop_within)

    def _add(self, app: FastAPI, sock: socket.socket, stop_within: timedelta) -> None:
        self._apps.append(app)
        self._servers.append((_web(app, stop_within), sock))

    def serving(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Yield what serves each until it is told to stop."""
        for server, sock in self._servers:
            yield server.serve(sockets=[sock])

    def give(self, keys: PublicKeys) -> None:
        """Let those who answer use these keys from now on; of a whole keyring the public part."""
        for app in self._apps:
            app.state.installation = replace(app.state.installation, keys=keys.public())

    def stop(self) -> None:
        """Tell them to finish what is begun."""
        for server, _ in self._servers:
            server.should_exit = True


class _Server(uvicorn.Server):
    """A web server that leaves the signals to the supervisor."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listening(name: str, listen: Listen) -> socket.socket:
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    try:
        return socket.create_server((listen.host, listen.port), family=family, backlog=512)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            taken = "names a port on which something listens already: another Vestka, perhaps"
            raise SettingWrong(name, taken) from None
        raise SettingWrong(name, "names an address that cannot be listened on") from None


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
