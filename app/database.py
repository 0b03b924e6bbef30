"""The database: engine, sessions, and the column types that both databases agree on.

Edges own the transactions; verbs take a session and never commit. On SQLite a write begins
IMMEDIATE, so that it waits for its turn instead of losing an update; a read begins DEFERRED. All
that one read sees is of one instant: on PostgreSQL it is REPEATABLE READ, READ ONLY.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

# Every constraint has a name, or SQLite's batch migrations could not drop it.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware in Python, UTC at rest. SQLite would drop the offset without a word."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse what has no zone; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite numbers rows by itself only in a column of exactly this type.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")
MAX_ROW_NUMBER = 2**53 - 1  # as much as every reader of JSON keeps exactly (RFC 7493 §2.2)
RandomId = LargeBinary(16)


class Base(DeclarativeBase):
    """What all tables share: the names of constraints."""

    metadata = MetaData(naming_convention=NAMING)


class Transaction(Session):
    """A session that may write; whoever opened it commits it."""


def wal_is_sound(version: tuple[int, ...]) -> bool:
    """Tell whether this SQLite is free of the WAL-reset bug (fixed in 3.51.3, 3.50.7, 3.44.6)."""
    return (
        version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    )


def _prepare_sqlite(raw: sqlite3.Connection, _record: object) -> None:
    raw.isolation_level = None  # we say BEGIN ourselves; the driver's own way loses updates
    journal_mode = "WAL" if wal_is_sound(sqlite3.sqlite_version_info) else "TRUNCATE"
    for pragma in (
        f"journal_mode={journal_mode}",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # what was deleted is overwritten, not only forgotten
        "temp_store=MEMORY",
    ):
        raw.execute(f"PRAGMA {pragma}")


def _refuse_replaced(raw: Any, record: Any, _proxy: object) -> None:
    """Open a file anew that was replaced under us, as by a restore: the old one is nobody's."""
    path = raw.execute("PRAGMA database_list").fetchone()[2]
    if not path:
        return  # in memory
    try:
        status = Path(path).stat()
        seen: tuple[int, ...] | None = (status.st_dev, status.st_ino)
    except OSError:
        seen = None
    if record.info.setdefault("file", seen) != seen:
        raise DisconnectionError


def _begin_sqlite(connection: Connection) -> None:
    kind = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
    connection.exec_driver_sql(f"BEGIN {kind}")


# Of a read, by whether it is SQLite's.
_READS: dict[bool, dict[str, Any]] = {
    True: {"sqlite_begin": "DEFERRED"},
    False: {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}


def is_deadlock(error: BaseException) -> bool:
    """Tell whether PostgreSQL ended a transaction because two waited for each other (40P01)."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) == "40P01"


class Database:
    """One database and the two ways into it: to read, and to write."""

    def __init__(self, url: str) -> None:
        """Make the engine; nothing is opened yet. `url` as in VESTKA_DATABASE_URL."""
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = self._engine()
        reader = self.engine.execution_options(**_READS[self.is_sqlite])
        self._write = sessionmaker(self.engine, class_=Transaction, expire_on_commit=False)
        self._read = sessionmaker(reader, expire_on_commit=False)

    def _engine(self) -> Engine:
        if not self.is_sqlite:
            return create_engine(
                self.url, hide_parameters=True, pool_size=10, max_overflow=50, pool_pre_ping=True
            )
        engine = create_engine(
            self.url,
            hide_parameters=True,  # or an error's text would show what was being stored
            pool_size=10,
            max_overflow=40,
            connect_args={"timeout": 30},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "checkout", _refuse_replaced)
        return engine

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a session that commits at the end, and rolls back on any exception."""
        with self._write.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that sees one instant, and whose changes are refused or thrown away."""
        with self._read() as session:
            yield session

    def close(self) -> None:
        """Close all connections of the pool."""
        self.engine.dispose()


def make_private(path: str) -> None:
    """Create the file `path` if need be, readable by its owner alone."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def scalar_count(value: Any) -> int:
    """Read a count from a result that may be NULL."""
    return int(value or 0)
