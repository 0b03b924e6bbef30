"""Where letters are opened: a few here, many in processes of their own, so that all cores work.

Such a process reads the keys itself, holds nothing of ours, and ends when this one does, however
that ends. If one dies, what it had is opened again: opening changes nothing.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from pathlib import Path

from app.addresses.keys import Keyring
from app.deliveries.opening import Batch, Domains, Failed, Opened, Opener
from app.mail.dkim import DkimKey
from app.mail.dkim_keys import load_dkim_keys

# Fewer are opened here, faster than another process would start.
MANY = 50
_IDLE = 60.0  # seconds until a process that has nothing to do is ended


@dataclass(frozen=True)
class Recipe:
    """What an opener is made from, in whichever process. `dkim_domain` is what DKIM signs for."""

    keys_dir: Path
    dkim_domain: str
    domains: Domains
    allowed: frozenset[str] | None

    def opener(self) -> Opener:
        """Read the keys."""
        dkim = load_dkim_keys(self.keys_dir, self.dkim_domain)
        return Opener(Keyring.load(self.keys_dir), self.domains, self.allowed, dkim)


class Openers:
    """Opens batches; starts processes when there is much, and ends them when there is not."""

    def __init__(self, here: Opener, recipe: Recipe | None = None) -> None:
        """`here` opens small batches. Without a `recipe`, it opens all."""
        self._here = here
        self._recipe = recipe
        self._pool: ProcessPoolExecutor | None = None
        self._outdated = False
        self._used_at = 0.0

    def sign_with(self, dkim: Sequence[DkimKey]) -> bool:
        """Sign with these keys from now on; tell whether they are others than before."""
        opener = self._here.signing_with(dkim)
        if opener.signs_with == self._here.signs_with:
            return False
        self._here, self._outdated = opener, True
        return True

    async def open(self, batch: Batch, now: datetime) -> list[Opened | Failed]:
        """Open a batch, in its order."""
        if len(batch.unopened) < MANY or self._recipe is None:
            return await asyncio.to_thread(self._here.open, batch, now)
        loop = asyncio.get_running_loop()
        self._used_at = loop.time()
        pool, workers = self._started(self._recipe)
        try:
            parts = [
                loop.run_in_executor(pool, _open, part, now) for part in _parts(batch, workers)
            ]
            return list(chain.from_iterable(await asyncio.gather(*parts)))
        except BrokenExecutor:
            self.close()
            return await asyncio.to_thread(self._here.open, batch, now)

    def _started(self, recipe: Recipe) -> tuple[ProcessPoolExecutor, int]:
        """Return the processes, which read the keys when they start, and how many they are.

        A signature costs more than everything else: then it is worth to use all cores.
        """
        if self._outdated:
            self._outdated = False
            self.close()
        workers = (os.cpu_count() or 1) if self._here.signs_with else 1
        self._pool = self._pool or _pool(recipe.opener, workers)
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


_opener: Opener | None = None  # of a process that only opens


def _pool(make: Callable[[], Opener], workers: int) -> ProcessPoolExecutor:
    # A fork would take our threads' locks along as they are; and it would hold all that we hold.
    spawning = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, spawning, initializer=_begin, initargs=(make,))


def _begin(make: Callable[[], Opener]) -> None:
    """Become an opener."""
    global _opener  # noqa: PLW0603 (the way in which a pool's processes hold what they work with)
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)  # whom they are meant for finishes first
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _opener = make()


def _end_with_parent() -> None:
    """A pool's processes would outlive a parent that was killed, waiting for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


def _open(batch: Batch, now: datetime) -> list[Opened | Failed]:
    if _opener is None:
        raise RuntimeError("this process is no opener")
    return _opener.open(batch, now)
