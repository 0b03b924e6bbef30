"""A running process follows its key files and the database's clock.

It is handed new keys when they change.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.orm import Session

from app.addresses.public_keys import PublicKeys
from app.cli.public_context import PublicContext
from app.instance.public_ownership import refuse_foreign_public_keys
from app.key_rotation.file_state import LOOK_EVERY, KeyWatch, SenderKeys

REFRESH_EVERY = 10.0  # seconds between two looks at the database's clock


class KeyReload:
    """The keys of this process, and who is to be given new ones."""

    def __init__(
        self,
        opened: PublicContext,
        keys: PublicKeys,
        role: str,
        give: Callable[[PublicKeys], None],
        refuse_foreign: Callable[[Session, Path], None] = refuse_foreign_public_keys,
    ) -> None:
        """Look at nothing yet. `give` is called with new keys, in a thread of its own."""
        self._opened = opened
        self._watch = KeyWatch(
            *(opened.database, opened.settings.keys_dir, role, keys, give),
            refuse_foreign=refuse_foreign,
        )

        self._clock_refreshed_at = opened.clock.monotonic()

    @property
    def keys(self) -> PublicKeys:
        """The keys that are to be used now."""
        return self._watch.keys

    def works_with(self, keyring: SenderKeys) -> None:
        """Take note that the sender has begun to work with these keys."""
        self._watch.works_with(keyring, self._opened.clock.now())

    def begin(self) -> None:
        """Say which keys are used here. Raises KeysBehind, KeysDestroyed."""
        self._watch.begin(self._opened.clock.now())

    async def follow(self, stop: asyncio.Event) -> None:
        """Follow the files until `stop` is set. Raises KeysDestroyed."""
        try:
            while not stop.is_set():
                await asyncio.to_thread(self._look)
                await either(LOOK_EVERY, stop)
        finally:
            await asyncio.to_thread(self._watch.end)

    def _look(self) -> None:
        clock = self._opened.clock
        if clock.monotonic() >= self._clock_refreshed_at + REFRESH_EVERY:
            self._clock_refreshed_at = clock.monotonic()
            clock.refresh()
        self._watch.look(clock.now())


async def either(seconds: float | None, *events: asyncio.Event) -> None:
    """Wait until one of the events is set, or for so long."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
