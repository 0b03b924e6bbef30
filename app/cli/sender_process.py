"""The sender's process: the only one with private keys. It loads no web framework: 20 MB less.

When key files change, the sender begins anew with the new keys; it first finishes the messages that
are on the wire, so no part of it holds old keys.
"""

import asyncio
from functools import partial

from app import sender as sending
from app.addresses.keyring import Keyring
from app.addresses.public_keys import PublicKeys
from app.cli.app_context import CommandContext
from app.cli.data_dir_lock import refuse_second_sender
from app.cli.key_reload import KeyReload, either
from app.cli.listen_sockets import inherited_socket
from app.cli.role_process import log, until_stopped
from app.cli.roles import Role, listening_socket, read_all
from app.cli.sender_health import SenderHealth
from app.cli.stopping import Stopping
from app.gc_tuning import collect_seldom
from app.instance.ownership import refuse_foreign
from app.readiness import Readiness


async def run(number: int | None) -> None:
    """Send until told to stop; the inherited socket `number` is the health endpoint's, if given."""
    opened = CommandContext(role=str(Role.SENDER))
    settings = opened.settings
    read_all(settings, [Role.SENDER])
    sending.check(settings, opened.newsletter)
    refuse_second_sender(opened.data_dir())
    stopping = Stopping(settings.stop_within)
    with stopping.signals() as stop:
        await _serve(opened, number, stopping, stop)


async def _serve(
    opened: CommandContext, number: int | None, stopping: Stopping, stop: asyncio.Event
) -> None:
    settings = opened.settings
    sender = _SenderProcess(opened)
    sock = listening_socket(settings, Role.SENDER) if number is None else inherited_socket(number)
    load_keys = partial(Keyring.load, settings.keys_dir)
    readiness = Readiness(opened.database, settings.data_dir, load_keys)
    health = SenderHealth(readiness, sender.is_running)
    await asyncio.to_thread(sender.following.begin)
    tasks = [
        asyncio.create_task(sender.following.follow(stop)),
        asyncio.create_task(sender.send(stop)),
        asyncio.create_task(health.serve(sock, stop)),
    ]
    collect_seldom()
    log.info("serving")
    await until_stopped(stopping, tasks, lambda: None)
    opened.database.close()
    log.info("stopped")


class _SenderProcess:
    """The sender of this process, made anew whenever the keys change."""

    def __init__(self, opened: CommandContext) -> None:
        self._opened = opened
        self._changed = asyncio.Event()
        self._running = False
        self._loop = asyncio.get_running_loop()
        self.following = KeyReload(
            opened, opened.keyring, str(Role.SENDER), self._begin_anew, refuse_foreign
        )

    def _begin_anew(self, _keys: PublicKeys) -> None:
        self._loop.call_soon_threadsafe(self._changed.set)

    def is_running(self) -> bool:
        """Whether there is a sender that works."""
        return self._running

    async def send(self, stop: asyncio.Event) -> None:
        """Run the sender until `stop` is set, with new keys each time that they change."""
        while not stop.is_set():
            self._changed.clear()
            keyring = self.following.keys
            if not isinstance(keyring, Keyring):
                raise TypeError("a sender needs all keys")
            await self._send_with(keyring, stop)

    async def _send_with(self, keyring: Keyring, stop: asyncio.Event) -> None:
        opened, end = self._opened, asyncio.Event()
        sender = sending.prepare(
            opened.settings, opened.database, opened.newsletter, keyring, opened.clock
        )
        self.following.works_with(keyring)
        running = asyncio.create_task(sender.run(end))
        ending = asyncio.create_task(either(None, stop, self._changed))
        self._running = True
        try:
            await asyncio.wait({running, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._running = False
            end.set()
            ending.cancel()
            await running
