"""`vestka serve`: the roles of this process under one supervisor, which alone hears the signals.

The public role starts without any private key on its host. A stop lets every role finish what it
has begun: answers in the making, emails on the wire.
"""

import asyncio
import importlib
import sys
from collections.abc import Collection, Coroutine, Iterable
from enum import StrEnum
from typing import Annotated, Any, Protocol

import typer

from app import sender as sending
from app.addresses.keyring import PublicKeys
from app.cli.app_context import CommandContext
from app.cli.key_reload import KeyReload
from app.cli.stopping import Stopping
from app.errors import DomainError
from app.gc_tuning import collect_seldom
from app.log import get_logger
from app.settings import Settings

log = get_logger("serve")


class Role(StrEnum):
    """What this process does."""

    ALL = "all"
    PUBLIC = "public"
    OPERATORS = "operators"
    SENDER = "sender"


# What each role cannot do without, or takes from others by default. Whatever else is given is read,
# too, so that a wrong setting stops the start and not the first email.
_NEEDED = {
    Role.PUBLIC: ("public_url",),
    Role.OPERATORS: ("public_url", "from_address", "list_domain"),
    Role.SENDER: (
        *(
            "public_url",
            "relays",
            "from_address",
            "list_domain",
            "return_path_domain",
            "dkim_domain",
        ),
    ),
}


def read_all(settings: Settings, roles: Iterable[Role]) -> None:
    """Read whatever was given, and what these roles need. Raises SettingWrong."""
    for knob in settings.declared():
        if settings.text_of(knob.name) is not None:
            getattr(settings, knob.attribute)
    for role in roles:
        for name in ("database_url", *_NEEDED[role]):
            getattr(settings, name)


def serve(
    role: Annotated[Role, typer.Option(help="what this process does")] = Role.ALL,
) -> None:
    """Start the service: the readers' port, the operators' port and the sender, or one of them."""
    opened = CommandContext()
    roles: list[Role] = list(_NEEDED) if role is Role.ALL else [role]
    read_all(opened.settings, roles)
    if Role.SENDER in roles:
        sending.check(opened.settings, opened.newsletter)
    opened.data_dir()
    asyncio.run(_supervise(opened, roles))


async def _supervise(opened: CommandContext, roles: list[Role]) -> None:
    stopping = Stopping(opened.settings.stop_within)
    with stopping.signals() as stop:
        await _serve(opened, roles, stopping, stop)


async def _serve(
    opened: CommandContext, roles: list[Role], stopping: Stopping, stop: asyncio.Event
) -> None:
    keys = opened.keyring if Role.SENDER in roles else opened.public_keys
    ports = _ports(opened, keys, roles)
    following = KeyReload(opened, keys, " ".join(roles), ports.give)
    await asyncio.to_thread(following.begin)
    tasks = [asyncio.create_task(each) for each in ports.serving()]
    tasks.append(asyncio.create_task(following.follow(stop)))
    if Role.SENDER in roles:
        tasks.append(asyncio.create_task(following.send(stop)))
    collect_seldom()
    log.info("serving", roles=[str(role) for role in roles])
    await _until_stopped(stop, stopping, ports, tasks)
    opened.database.close()
    log.info("stopped")


class _Ports(Protocol):
    """The ports on which a process listens."""

    def serving(self) -> Iterable[Coroutine[Any, Any, None]]:
        """Return the acts that serve them until they are told to stop."""
        ...

    def give(self, keys: PublicKeys) -> None:
        """Let those who answer there use these keys from now on."""
        ...

    def stop(self) -> None:
        """Tell them to finish what is begun."""
        ...


class _NoPorts:
    """A sender alone listens nowhere."""

    def serving(self) -> Iterable[Coroutine[Any, Any, None]]:
        return ()

    def give(self, keys: PublicKeys) -> None:
        return

    def stop(self) -> None:
        return


def _ports(opened: CommandContext, keys: PublicKeys, roles: Collection[Role]) -> _Ports:
    """Open the ports of these roles. A sender that has none does not load the web: 20 MB less."""
    public, operators = Role.PUBLIC in roles, Role.OPERATORS in roles
    if not (public or operators):
        return _NoPorts()
    listening = importlib.import_module("app.cli.http_servers")
    ports: _Ports = listening.Ports(opened, keys, public=public, operators=operators)
    return ports


async def _until_stopped(
    stop: asyncio.Event, stopping: Stopping, ports: _Ports, tasks: list[asyncio.Task[None]]
) -> None:
    """Wait for a signal, or for a role that fails; then let all of them finish."""
    told = asyncio.create_task(stop.wait())
    await asyncio.wait({told, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    stopping.begin()
    stop.set()
    ports.stop()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    for failure in failures:
        if isinstance(failure, DomainError):
            raise failure
        log.error("a role failed", exc_info=failure)
    if failures:
        sys.exit(1)
