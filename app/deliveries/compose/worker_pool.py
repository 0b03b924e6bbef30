"""Where messages are opened: a few here, many in processes of their own, so that all cores work.

Such a process reads the keys itself, holds nothing of ours, and ends when this one does, however
that ends. If one dies, what it had is opened again: opening changes nothing.
"""

import asyncio
import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain

from app.deliveries.compose.personalisation import (
    Batch,
    PersonalisationFailed,
    PersonalisedMessage,
    Personaliser,
)
from app.deliveries.compose.worker import WorkerConfig, begin, made, opened, pack
from app.log import get_logger
from app.mail.dkim.signature import DkimKey

log = get_logger("deliveries")

# Fewer are opened here, faster than another process would start.
MANY = 50
_IDLE = 60.0  # seconds until a process that has nothing to do is ended


class WorkerPool:
    """Opens batches; starts processes when there is much, and ends them when there is not."""

    def __init__(self, here: Personaliser, recipe: WorkerConfig | None = None) -> None:
        """`here` opens small batches. Without a `recipe`, it opens all."""
        self._here = here
        self._recipe = recipe
        self._pool: ProcessPoolExecutor | None = None
        self._outdated = False
        self._used_at = 0.0
        self._alone_until = 0.0  # after a process died, for it may die again

    def sign_with(self, dkim: Sequence[DkimKey]) -> bool:
        """Sign with these keys from now on; tell whether they are others than before."""
        opener = self._here.signing_with(dkim)
        if opener.signs_with == self._here.signs_with:
            return False
        self._here, self._outdated = opener, True
        return True

    async def open(
        self, batch: Batch, now: datetime
    ) -> list[PersonalisedMessage | PersonalisationFailed]:
        """Open a batch, in its order."""
        loop = asyncio.get_running_loop()
        alone = self._recipe is None or loop.time() < self._alone_until
        if alone or len(batch.unopened) < MANY:
            return await asyncio.to_thread(self._here.open, batch, now)
        self._used_at = loop.time()
        pool, workers = self._started()
        try:
            parts = [
                loop.run_in_executor(pool, opened, pack(part), now)
                for part in _parts(batch, workers)
            ]
            return [made(each) for each in chain.from_iterable(await asyncio.gather(*parts))]
        except BrokenExecutor:
            log.warning("a process that opens messages has died")
            self.close()
            self._alone_until = loop.time() + _IDLE
            return await asyncio.to_thread(self._here.open, batch, now)

    def _started(self) -> tuple[ProcessPoolExecutor, int]:
        """Return the processes, which read the keys when they start, and how many they are.

        A signature costs more than everything else: then it is worth to use all cores.
        """
        if self._outdated:
            self._outdated = False
            self.close()
        workers = (os.cpu_count() or 1) if self._here.signs_with else 1
        self._pool = self._pool or _pool(self._recipe, workers)
        return self._pool, workers

    def rest(self) -> None:
        """End the processes if they had nothing to do for a while."""
        if self._pool is not None and asyncio.get_running_loop().time() - self._used_at > _IDLE:
            self.close()

    def close(self) -> None:
        """End the processes, when they have done what they were given."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False)


def _parts(batch: Batch, workers: int) -> list[Batch]:
    size = -(-len(batch.unopened) // workers)
    starts = range(0, len(batch.unopened), size)
    return [replace(batch, unopened=batch.unopened[at : at + size]) for at in starts]


def _pool(recipe: WorkerConfig | None, workers: int) -> ProcessPoolExecutor:
    # A fork would take our threads' locks along as they are; and it would hold all that we hold.
    spawning = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, spawning, initializer=partial(begin, recipe))
