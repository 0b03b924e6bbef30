"""A running process follows its key files: the web takes up new ones, the sender begins anew.

A sender that begins anew first finishes the emails on the wire; so no part of it holds old keys.
"""

import asyncio
from collections.abc import Callable

from app import sender as sending
from app.addresses.keyring import Keyring, PublicKeys
from app.cli.app_context import CommandContext
from app.key_rotation.file_state import LOOK_EVERY, KeyWatch


class KeyReload:
    """The keys of this process, and who is to be given new ones."""

    def __init__(
        self,
        opened: CommandContext,
        keys: PublicKeys,
        role: str,
        give: Callable[[PublicKeys], None],
    ) -> None:
        """Look at nothing yet. `give` hands new keys to the web."""
        self._opened = opened
        self._give = give
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._watch = KeyWatch(
            opened.database, opened.settings.keys_dir, role, keys, self._give_out
        )

    def _give_out(self, keys: PublicKeys) -> None:
        self._give(keys)
        self._loop.call_soon_threadsafe(self._changed.set)

    def begin(self) -> None:
        """Say which keys are used here. Raises KeysBehind, KeysDestroyed."""
        self._watch.begin(self._opened.clock.now())

    async def follow(self, stop: asyncio.Event) -> None:
        """Follow the files until `stop` is set. Raises KeysDestroyed."""
        try:
            while not stop.is_set():
                await asyncio.to_thread(self._watch.look, self._opened.clock.now())
                await _either(LOOK_EVERY, stop)
        finally:
            await asyncio.to_thread(self._watch.end)

    async def send(self, stop: asyncio.Event) -> None:
        """Run the sender until `stop` is set, with new keys each time that they change."""
        while not stop.is_set():
            self._changed.clear()
            keyring = self._watch.keys
            if not isinstance(keyring, Keyring):
                raise TypeError("a sender needs all keys")
            await self._send_with(keyring, stop)

    async def _send_with(self, keyring: Keyring, stop: asyncio.Event) -> None:
        opened, end = self._opened, asyncio.Event()
        sender = sending.prepare(
            opened.settings, opened.database, opened.newsletter, keyring, opened.clock
        )
        self._watch.works_with(keyring, opened.clock.now())
        running = asyncio.create_task(sender.run(end))
        ending = asyncio.create_task(_either(None, stop, self._changed))
        try:
            await asyncio.wait({running, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            end.set()
            ending.cancel()
            await running


async def _either(seconds: float | None, *events: asyncio.Event) -> None:
    """Wait until one of the events is set, or for so long."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
