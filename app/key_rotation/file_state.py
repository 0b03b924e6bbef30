"""A running process follows its key files: it takes up new ones, and says which ones it uses.

Keys that were destroyed end the process; keys that cannot be read leave it with those it has.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.addresses.public_keys import PublicKeys
from app.database import Database
from app.errors import DomainError
from app.instance.public_ownership import refuse_foreign_public_keys
from app.key_rotation.key_users import forget_dead, leave, refuse_behind, say
from app.keys.key_format import (
    KeysDestroyed,
    KeyUnreadable,
    key_names,
    os_reason,
    refuse_destroyed,
)
from app.log import get_logger
from app.tokens import new_id

log = get_logger("seals")

LOOK_EVERY = 1.0  # seconds
SAY_EVERY = timedelta(seconds=10)
# A request that had begun with the old keys has ended by then.
SETTLED = timedelta(seconds=2)

Signature = tuple[tuple[str, int, int], ...]


def file_state(keys_dir: Path) -> Signature:
    """Return what changes whenever a key file comes, goes or is replaced."""
    refuse_destroyed(keys_dir)
    seen = []
    for name in key_names(keys_dir):
        try:
            status = (keys_dir / str(name)).stat()
        except FileNotFoundError:  # destroyed while we look; the next look sees the rest
            continue
        seen.append((str(name), status.st_ino, status.st_mtime_ns))
    return tuple(seen)


class SenderKeys(Protocol):
    """What is told of the keys that a sender works with."""

    @property
    def generation(self) -> int:
        """Which generation of keys is in use."""
        ...

    @property
    def knows(self) -> int:
        """The newest generation of which every key is here."""
        ...


@dataclass
class KeyWatch:
    """The keys of one process: `keys` seals, `opening` is what its sender works with, if any.

    Who holds all keys gives a `refuse_foreign` that compares all of them with the database.
    """

    database: Database
    keys_dir: Path
    role: str
    keys: PublicKeys
    changed: Callable[[PublicKeys], object] = repr
    refuse_foreign: Callable[[Session, Path], None] = refuse_foreign_public_keys
    opening: SenderKeys | None = None
    user: bytes = field(default_factory=new_id)
    seen: Signature = ()
    say_at: datetime | None = None
    unreadable: str = ""  # what was last said of files that cannot be read

    def begin(self, now: datetime) -> None:
        """Say which keys this process uses, before it does. Raises KeysBehind."""
        self.seen = file_state(self.keys_dir)
        with self.database.reading() as session:
            refuse_behind(session, self.keys.list_sealing.kid)
        self._say(now)

    def look(self, now: datetime) -> None:
        """Take up what changed, and say so when it is time. Raises KeysDestroyed."""
        try:
            seen = file_state(self.keys_dir)
        except (KeyUnreadable, OSError) as error:
            self._warn(str(error) if isinstance(error, KeyUnreadable) else os_reason(error))
        else:
            self._compare(seen, now)
        if self.say_at is None or now >= self.say_at:
            try:
                self._say(now)
            except SQLAlchemyError:
                self.say_at = now + SETTLED  # the database is away, and others tell of that

    def _compare(self, seen: Signature, now: datetime) -> None:
        if seen == self.seen:
            self.unreadable = ""
            return
        self.seen = seen
        self._take_up(now)

    def _warn(self, reason: str) -> None:
        """Tell once why the files cannot be read now, as when too many files are open."""
        if reason != self.unreadable:
            self.unreadable = reason
            log.warning("the key files cannot be read, so the known keys stay in use", why=reason)

    def _take_up(self, now: datetime) -> None:
        try:
            keys = type(self.keys).load(self.keys_dir)  # a sender's all, others' public ones
            with self.database.reading() as session:
                self.refuse_foreign(session, self.keys_dir)
                refuse_behind(session, keys.list_sealing.kid)
        except KeysDestroyed:
            raise
        except KeyUnreadable as unreadable:
            self.seen = ()  # it may pass; the next look compares with it
            self._warn(str(unreadable))
            return
        except DomainError as refused:
            log.warning("the key files changed and cannot be used", why=str(refused))
            return
        except SQLAlchemyError:
            self.seen = ()  # the database is away; the next look compares with it
            return
        self.keys = keys
        self.unreadable = ""
        self.changed(self.keys)
        self.say_at = now + SETTLED
        log.info("key files taken up", generation=self.keys.list_sealing.kid)

    def renew(self, now: datetime) -> None:
        """Say again that this process is alive, if it is time; nothing is taken up."""
        if self.say_at is None or now >= self.say_at:
            self._say(now)

    def works_with(self, keyring: SenderKeys, now: datetime) -> None:
        """Take note that the sender has begun to work with these keys."""
        self.opening = keyring
        self.say_at = min(self.say_at or now, now + SETTLED)

    def _say(self, now: datetime) -> None:
        seals, opening = self.keys.list_sealing.kid, self.opening
        if opening is not None:
            seals = min(seals, opening.generation)
        with self.database.transaction() as session:
            forget_dead(session, now=now)
            say(
                session,
                self.user,
                self.role,
                seals=seals,
                knows=opening.knows if opening is not None else 0,
                now=now,
            )
        self.say_at = now + SAY_EVERY

    def end(self) -> None:
        """Say that this process ends, if the database listens."""
        try:
            with self.database.transaction() as session:
                leave(session, self.user)
        except SQLAlchemyError:
            return
