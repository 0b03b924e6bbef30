"""Whether a process can do its work: database, disk and keys. What is said may be shown to anyone.

The relay is no part of it. While all is well, it looks at most once in two seconds, however often
it is asked.
"""

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.database import Database
from app.errors import DomainError

LOOK_EVERY = 2.0  # seconds
_PROBE = b"\0" * 65_536

# Of PostgreSQL: a standby, or a server or user that is set to take no change.
_READ_ONLY = "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'"

NO_DATABASE = "the database does not answer"
READ_ONLY = "the database cannot be written to"
NO_DISK = "the data directory cannot be written to: its disk is full or read-only"
NO_KEYS = "key files are missing or cannot be read"


class Readiness:
    """Looks at what a process needs, and remembers for two seconds that it was there."""

    def __init__(
        self, database: Database, writes_to: Path | None, load_keys: Callable[[], object]
    ) -> None:
        """`writes_to` is the folder it needs to write to, `load_keys` reads its key files."""
        self._database = database
        self._writes_to = writes_to
        self._load_keys = load_keys
        self._look_again = 0.0
        self._lock = Lock()

    def fault(self) -> str | None:
        """Return why this process cannot work now; None if it can."""
        with self._lock:
            if time.monotonic() < self._look_again:
                return None
            fault = self._look()
            if fault is None:
                self._look_again = time.monotonic() + LOOK_EVERY
            return fault

    def _look(self) -> str | None:
        return self._database_fault() or self._disk_fault() or self._keys_fault()

    def _database_fault(self) -> str | None:
        try:
            with self._database.reading() as session:
                # A constant alone would be answered without a look at the file, locked or gone.
                session.execute(text("SELECT version_num FROM alembic_version"))
                if self._database.is_sqlite:
                    return None if _is_writable(self._database) else READ_ONLY
                read_only = session.scalar(text(_READ_ONLY))
        except SQLAlchemyError:
            return NO_DATABASE
        return READ_ONLY if read_only else None

    def _disk_fault(self) -> str | None:
        """Write and sync a file, which alone tells whether the disk takes anything."""
        if self._writes_to is None:
            return None
        probe = self._writes_to / f".ready-{os.getpid()}"
        try:
            with os.fdopen(os.open(probe, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
                file.write(_PROBE)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            return NO_DISK
        finally:
            with contextlib.suppress(OSError):
                probe.unlink()
        return None

    def _keys_fault(self) -> str | None:
        try:
            self._load_keys()
        except DomainError:
            return NO_KEYS
        return None


def _is_writable(database: Database) -> bool:
    return os.access(database.url.database or "", os.W_OK)
