"""A process that only opens messages: what it is made from, and how it begins and ends.

It imports no more than opening takes, so that it is small, and ends with the one it works for.
"""

import multiprocessing
import os
import signal
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app.addresses.admission import AdmittedRow
from app.addresses.keyring import Keyring
from app.deliveries.compose.personalisation import (
    Batch,
    Compiled,
    Domains,
    PersonalisationFailed,
    PersonalisedMessage,
    Personaliser,
    SealedMessage,
)
from app.gc_tuning import collect_seldom
from app.mail.dkim.dkim_keys import load_dkim_keys

_opener: Personaliser | None = None


@dataclass(frozen=True)
class WorkerConfig:
    """What an opener is made from, in whichever process. `dkim_domain` is what DKIM signs for."""

    keys_dir: Path
    dkim_domain: str
    domains: Domains
    allowed: frozenset[str] | None

    def opener(self) -> Personaliser:
        """Read the keys."""
        dkim = load_dkim_keys(self.keys_dir, self.dkim_domain)
        return Personaliser(Keyring.load(self.keys_dir), self.domains, self.allowed, dkim)


def begin(recipe: WorkerConfig | None) -> None:
    """Become an opener."""
    global _opener  # noqa: PLW0603 (the way in which a pool's processes hold what they work with)
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)  # whom they are meant for finishes first
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _opener = recipe.opener() if recipe is not None else None
    collect_seldom()


def _end_with_parent() -> None:
    """A pool's processes would outlive a parent that was killed, waiting for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


Packed = tuple[list[Compiled], list[tuple[Any, ...]], bool]
"""A batch in plain tuples: they go from process to process at half the cost of named ones."""


def pack(batch: Batch) -> Packed:
    """Put a batch into plain tuples."""
    rows = [(one[0], one[1] and tuple(one[1]), *one[2:]) for one in batch.unopened]
    return batch.compiled, rows, batch.never


def _unpacked(packed: Packed) -> Batch:
    compiled, rows, never = packed
    unopened = [SealedMessage(one[0], one[1] and AdmittedRow(*one[1]), *one[2:]) for one in rows]
    return Batch(compiled, unopened, never)


def opened(packed: Packed, now: datetime) -> list[tuple[Any, ...]]:
    """Open a packed batch, in its order; `made` says what was given back."""
    if _opener is None:
        raise RuntimeError("this process is no opener")
    return [tuple(each) for each in _opener.open(_unpacked(packed), now)]


def made(given: tuple[Any, ...]) -> PersonalisedMessage | PersonalisationFailed:
    """Read what `opened` gave for one message."""
    return (
        PersonalisedMessage(*given)
        if len(given) == len(PersonalisedMessage._fields)
        else PersonalisationFailed(*given)
    )
