"""Changing the keys under a running service: made, known, used; the list sealed anew; the old gone.

What is done is on the disk or in the rows themselves, so a rotation that was killed is taken up by
the next one where it ended. A key is destroyed only when nobody seals with it and nothing is left
that it alone opens; backups of before are then unreadable.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.addresses.keyring import Keyring
from app.clock import Clock
from app.database import Database
from app.errors import DomainError
from app.instance.ownership import record_keys
from app.key_rotation.in_use import (
    messages_on_their_way,
    what_waits_in_inbox,
    who_does_not_know,
    who_uses_older,
)
from app.key_rotation.key_users import take_into_use
from app.key_rotation.reencryption import Reencrypted, is_older, reencrypt_some
from app.keys.generations import (
    destroy_keys,
    generation_in_use,
    generation_made,
    make_generation,
    older_keys,
    use_generation,
)
from app.keys.key_format import KeyName, key_names

LOOK_EVERY = 0.5  # seconds


class RotationUnfinished(DomainError):
    """The rotation is not finished."""


class RotationRuns(DomainError):
    """The keys are being rotated already."""


@dataclass
class Rotated:
    """What a rotation did."""

    generation: int
    resealed: int = 0
    flawed: int = 0
    destroyed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Rotation:
    """One rotation: where, how long it waits for others (seconds), and whom it tells."""

    database: Database
    keys_dir: Path
    clock: Clock
    patience: float
    tell: Callable[[str], object]

    def run(self) -> Rotated:
        """Rotate, or finish what was begun. Raises RotationUnfinished, RotationRuns."""
        with _alone(self.keys_dir):
            kid = self._generation()
            done = Rotated(kid)
            self._take_into_use(kid)
            keyring = Keyring.load(self.keys_dir)
            self._reseal(keyring, done)
            self._await(lambda session: who_uses_older(session, kid, now=self.clock.now()))
            self._await(lambda session: what_waits_in_inbox(session, kid))
            self._reseal(keyring, done)
            self._destroy(kid, done)
            return done

    def _generation(self) -> int:
        """Return the generation to rotate to: one that was begun, or a new one."""
        made = generation_made(self.keys_dir)
        unfinished = any(name.purpose != "mac" for name in older_keys(self.keys_dir, made))
        return made if unfinished else made + 1

    def _take_into_use(self, kid: int) -> None:
        """Use it once everybody who opens rows knows it."""
        if generation_in_use(self.keys_dir) < kid:
            make_generation(self.keys_dir, kid, today=self.clock.now().date())
            self.tell(f"the keys of generation {kid} are made")
            self._await(lambda session: who_does_not_know(session, kid, now=self.clock.now()))
            use_generation(self.keys_dir, kid)
        with self.database.transaction() as session:
            take_into_use(session, kid)
            record_keys(session, self.keys_dir)
        self.tell(f"generation {kid} is in use")

    def _reseal(self, keyring: Keyring, done: Rotated) -> None:
        """Go through the list until a whole round finds nothing more to do."""
        while True:
            round_ = Reencrypted()
            while reencrypt_some(self.database, keyring, round_, today=self.clock.now().date()):
                self.tell(f"sealed anew: {done.resealed + round_.done}")
            done.resealed += round_.done
            done.flawed = round_.flawed
            if not round_.done:
                return

    def _destroy(self, kid: int, done: Rotated) -> None:
        older = older_keys(self.keys_dir, kid)
        with self.database.reading() as session:
            needed = messages_on_their_way(session, kid, now=self.clock.now())
        kept = [name for name in older if needed and name.purpose == "mac"]
        gone = [name for name in older if name not in kept]
        destroy_keys(self.keys_dir, gone)
        done.destroyed, done.kept = [str(name) for name in gone], [str(name) for name in kept]

    def _await(self, what: Callable[[Session], str]) -> None:
        """Wait until `what` says that there is nothing to wait for."""
        end, told = self.clock.monotonic() + self.patience, ""
        while True:
            with self.database.reading() as session:
                says = what(session)
            if not says:
                return
            if self.clock.monotonic() >= end:
                raise RotationUnfinished(
                    f"The rotation is not finished, it waits for {says};"
                    " `vestka seal rotate` goes on where it ended."
                )
            if says != told:
                self.tell(f"waiting for {says}")
                told = says
            time.sleep(LOOK_EVERY)


def rows_to_reseal(database: Database, kid: int) -> int:
    """Count the subscribers that are not wholly of generation `kid`."""
    with database.reading() as session:
        return session.scalar(select(func.count()).where(is_older(kid))) or 0


def destroy_spare(database: Database, keys_dir: Path, *, now: datetime) -> list[KeyName]:
    """Destroy what a rotation had to keep for messages on their way, once they have arrived."""
    if not key_names(keys_dir):
        return []
    kid = generation_in_use(keys_dir)
    older = older_keys(keys_dir, kid)
    if not older or any(name.purpose != "mac" for name in older):
        return []
    with database.reading() as session:
        if messages_on_their_way(session, kid, now=now):
            return []
    destroy_keys(keys_dir, older)
    return older


@contextmanager
def _alone(keys_dir: Path) -> Iterator[None]:
    """Hold the directory; the lock ends with the process that holds it, also by a kill."""
    directory = os.open(keys_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RotationRuns from None
        yield
    finally:
        os.close(directory)
