"""A process that answers on one port: the readers' or the operators'. It holds public keys only."""

import asyncio
from collections.abc import Callable

from fastapi import FastAPI

from app.cli.http_servers import Port
from app.cli.key_reload import KeyReload
from app.cli.listen_sockets import inherited_socket
from app.cli.public_context import PublicContext
from app.cli.role_process import log, until_stopped
from app.cli.roles import Role, listening_socket, read_all
from app.cli.stopping import Stopping
from app.gc_tuning import collect_seldom
from app.web.context import AppContext


async def run_web(role: Role, create: Callable[[AppContext], FastAPI], number: int | None) -> None:
    """Serve the app that `create` makes, on a port of our own or the inherited socket `number`."""
    opened = PublicContext(role=str(role))
    read_all(opened.settings, [role])
    stopping = Stopping(opened.settings.stop_within)
    with stopping.signals():
        await _serve(opened, role, create, number, stopping)


async def _serve(
    opened: PublicContext,
    role: Role,
    create: Callable[[AppContext], FastAPI],
    number: int | None,
    stopping: Stopping,
) -> None:
    settings = opened.settings
    sock = listening_socket(settings, role) if number is None else inherited_socket(number)
    if sock is None:
        raise TypeError("only a sender works without a port")
    if opened.uses_sqlite:
        opened.data_dir()
    here = AppContext(
        settings, opened.database, opened.clock, opened.newsletter, opened.public_keys
    )
    port = Port(create(here), sock, settings.stop_within)
    following = KeyReload(opened, here.keys, str(role), port.give)
    await asyncio.to_thread(following.begin)
    tasks = [asyncio.create_task(each) for each in (port.serve(), following.follow(stopping.event))]
    collect_seldom()
    log.info("serving")
    await until_stopped(stopping, tasks, port.stop)
    opened.database.close()
    log.info("stopped")
