"""`vestka serve`: the roles of this process under one supervisor, which alone hears the signals.

The public role starts without any private key on its host. A stop lets every role finish what it
has begun: answers in the making, letters on the wire.
"""

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI

from app import sender as sending
from app.cli.following import Following
from app.cli.opening import Opened
from app.errors import Refusal
from app.journal import journal
from app.server import create_operators, create_public
from app.settings import Listen, Settings, SettingWrong
from app.web.connections import HEAD, Connection

log = journal("serve")


class Role(StrEnum):
    """What this process does."""

    ALL = "all"
    PUBLIC = "public"
    OPERATORS = "operators"
    SENDER = "sender"


# What each role cannot do without, or takes from others by default. Whatever else is given is read,
# too, so that a wrong setting stops the start and not the first letter.
_NEEDED = {
    Role.PUBLIC: ("public_url",),
    Role.OPERATORS: ("public_url", "sender", "list_domain"),
    Role.SENDER: (
        *("public_url", "relays", "sender", "list_domain", "return_path_domain", "dkim_domain"),
    ),
}


class _Server(uvicorn.Server):
    """A web server that leaves the signals to the supervisor."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listening(name: str, listen: Listen) -> socket.socket:
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    try:
        return socket.create_server((listen.host, listen.port), family=family, backlog=512)
    except OSError:
        raise SettingWrong(name, "names an address that cannot be listened on") from None


def _web(app: FastAPI) -> _Server:
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
        timeout_graceful_shutdown=10,
    )
    return _Server(config)


def read_all(settings: Settings, roles: Iterable[Role]) -> None:
    """Read whatever was given, and what these roles need. Raises SettingWrong."""
    for knob in settings.knobs():
        if settings.text_of(knob.name) is not None:
            getattr(settings, knob.attribute)
    for role in roles:
        for name in ("database_url", *_NEEDED[role]):
            getattr(settings, name)


def serve(
    role: Annotated[Role, typer.Option(help="what this process does")] = Role.ALL,
) -> None:
    """Start the service: the readers' port, the operators' port and the sender, or one of them."""
    opened = Opened()
    roles: list[Role] = list(_NEEDED) if role is Role.ALL else [role]
    read_all(opened.settings, roles)
    if Role.SENDER in roles:
        sending.check(opened.settings, opened.newsletter)
    opened.data_dir()
    asyncio.run(_supervise(opened, roles))


async def _supervise(opened: Opened, roles: list[Role]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    keys = opened.keyring if Role.SENDER in roles else opened.public_keys
    installation = opened.installation(keys)
    settings = opened.settings
    apps: list[FastAPI] = []
    servers: list[tuple[_Server, socket.socket]] = []
    if Role.PUBLIC in roles:
        sock = _listening("VESTKA_PUBLIC_LISTEN", settings.public_listen)
        apps.append(create_public(installation))
        servers.append((_web(apps[-1]), sock))
    if Role.OPERATORS in roles:
        sock = _listening("VESTKA_OPERATORS_LISTEN", settings.operators_listen)
        apps.append(create_operators(installation))
        servers.append((_web(apps[-1]), sock))
    following = Following(opened, keys, " ".join(roles), apps)
    await asyncio.to_thread(following.begin)
    tasks = [asyncio.create_task(server.serve(sockets=[sock])) for server, sock in servers]
    tasks.append(asyncio.create_task(following.follow(stop)))
    if Role.SENDER in roles:
        tasks.append(asyncio.create_task(following.send(stop)))
    _settle()
    log.info("serving", roles=[str(role) for role in roles])
    await _until_stopped(stop, servers, tasks)
    opened.database.close()
    log.info("stopped")


def _settle() -> None:
    """Keep what stays for good out of the search for garbage: each took 100 ms of everybody's time.

    Half a million objects are made at the start (tables, templates, languages) and never again.
    """
    gc.collect()
    gc.freeze()


async def _until_stopped(
    stop: asyncio.Event,
    servers: list[tuple[_Server, socket.socket]],
    tasks: list[asyncio.Task[None]],
) -> None:
    """Wait for a signal, or for a role that fails; then let all of them finish."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    for server, _ in servers:
        server.should_exit = True
    results = await asyncio.gather(*tasks, return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    for failure in failures:
        if isinstance(failure, Refusal):
            raise failure
        log.error("a role failed", exc_info=failure)
    if failures:
        sys.exit(1)
