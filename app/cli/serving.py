"""`vestka serve`: a process per role under one supervisor, or one role alone in this process.

Only what the role needs is imported: the supervisor loads neither keys nor database, the public
process nothing that could use a private key.
"""

import asyncio
import importlib
import os
import subprocess
import sys
from typing import Annotated

import typer

from app import log as logging_setup
from app.cli.data_dir_lock import lock_data_dir, refuse_second_sender
from app.cli.roles import NEEDED, Role, listening_socket
from app.cli.supervisor import Supervisor
from app.cli.tether import hold
from app.settings import Settings

_PROCESSES = {
    Role.PUBLIC: "app.cli.public_process",
    Role.OPERATORS: "app.cli.operators_process",
    Role.SENDER: "app.cli.sender_process",
}


def serve(
    role: Annotated[Role, typer.Option(help="what this process does")] = Role.ALL,
    *,
    socket: Annotated[int | None, typer.Option(hidden=True)] = None,
    tether: Annotated[int | None, typer.Option(hidden=True)] = None,
    only_prepare: Annotated[bool, typer.Option("--only-prepare", hidden=True)] = False,
) -> None:
    """Start the service: a process for the public port, one for the operators', and the sender.

    With --role, only one of them, in this process. `socket` and `tether` are file descriptors that
    the supervisor gives to its processes.
    """
    if tether is not None:
        hold(tether)
    if only_prepare:
        importlib.import_module("app.cli.preparation").prepare()
    elif role is Role.ALL:
        raise typer.Exit(_supervise())
    else:
        asyncio.run(importlib.import_module(_PROCESSES[role]).run(socket))


def _supervise() -> int:
    """Refuse a second service, open the ports, prepare, and run all roles; return the status."""
    settings = Settings(dict(os.environ))
    if unknown := settings.unknown():
        raise unknown[0]
    logging_setup.configure(settings.log_format, role="supervisor")
    data_dir = settings.data_dir
    lock = lock_data_dir(data_dir)
    refuse_second_sender(data_dir)
    sockets = {role: listening_socket(settings, role) for role in NEEDED}
    preparing = [sys.executable, "-m", "app", "serve", "--only-prepare"]
    status = subprocess.call(preparing, stdin=subprocess.DEVNULL)  # noqa: S603 - our own program
    if status:
        return status if status > 0 else 1
    if lock is None:
        lock = lock_data_dir(data_dir)
    return Supervisor(sockets, int(settings.stop_within.total_seconds())).run()
