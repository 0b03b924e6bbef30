"""A process that answers on one port: the readers' or the operators'. It holds public keys only."""

import asyncio
from collections.abc import Callable

from fastapi import FastAPI

from app.cli.http_servers import Port
from app.cli.key_reload import KeyReload
from app.cli.listen_sockets import inherited_socket
from app.cli.public_context import PublicContext
from app.cli.role_process import log, stopped_by_signals, until_stopped
from app.cli.roles import Role, listening_socket, read_all
from app.gc_tuning import collect_seldom
from app.web.context import AppContext


async def run_web(role: Role, create: Callable[[AppContext], FastAPI], number: int | None) -> None:
    """Serve the app that `create` makes, on a port of our own or the inherited socket `number`."""
    opened = PublicContext(role=str(role))
    settings = opened.settings
    read_all(settings, [role])
    stop = stopped_by_signals()
    sock = listening_socket(settings, role) if number is None else inherited_socket(number)
    if sock is None:
        raise TypeError("only a sender works without a port")
    if opened.uses_sqlite:
        opened.data_dir()
    here = AppContext(
        settings, opened.database, opened.clock, opened.newsletter, opened.public_keys
    )
    port = Port(create(here), sock)
    following = KeyReload(opened, here.keys, str(role), port.give)
    await asyncio.to_thread(following.begin)
    tasks = [asyncio.create_task(each) for each in (port.serve(), following.follow(stop))]
    collect_seldom()
    log.info("serving")
    await until_stopped(stop, tasks, port.stop)
    opened.database.close()
    log.info("stopped")
