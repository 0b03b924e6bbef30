"""The database: instants in UTC, foreign keys, deletion that overwrites, writers that wait."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

from app.database import (
    Base,
    Database,
    Transaction,
    UtcDateTime,
    make_private,
    scalar_count,
    wal_is_sound,
)
from app.mailings.models import Installation
from app.operators.models import Alert
from app.subscribers.models import ServiceMessage, UnsubscribeCount
from app.tokens import new_id
from tests.support.clock import MONDAY

ROOT = Path(__file__).parents[1]
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
NAIVE = datetime(2025, 1, 27)  # noqa: DTZ001 - what must be refused


def keep(session: Transaction, at: datetime) -> None:
    session.merge(Installation(id=1, made_at=at))


@given(st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30), timezones=ZONES))  # noqa: DTZ001
def test_an_instant_is_stored_in_utc(at: datetime) -> None:
    column = UtcDateTime()
    dialect = Database("sqlite:////nowhere/x.db").engine.dialect
    stored = column.process_bind_param(at, dialect)
    assert stored == at
    assert stored is not None
    assert stored.utcoffset() == timedelta(0)
    back = column.process_result_value(stored.replace(tzinfo=None), dialect)
    assert back == at


def test_an_instant_comes_back_the_same_and_in_utc(database: Database) -> None:
    at = datetime(2025, 1, 27, 12, 30, 0, 123456, tzinfo=timezone(timedelta(hours=3)))
    with database.transaction() as session:
        keep(session, at)
    with database.reading() as session:
        found = session.scalars(select(Installation.made_at)).one()
    assert found == at
    assert found.utcoffset() == timedelta(0)


def test_an_instant_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="time zone"), database.transaction() as session:
        keep(session, NAIVE)
    with database.reading() as session, pytest.raises(StatementError, match="time zone"):
        session.scalars(select(Installation).where(Installation.made_at < NAIVE)).all()


def test_foreign_keys_hold(database: Database) -> None:
    message = ServiceMessage(
        nonce=new_id(),
        kind="confirmation",
        subscriber_id=new_id(),
        segments="",
        language="en",
        expires_at=MONDAY,
    )
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(message)


def test_an_exception_rolls_back(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as session:
            keep(session, MONDAY)
            session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with database.reading() as session:
        assert session.scalars(select(Installation)).all() == []


def test_an_error_shows_no_parameter(database: Database) -> None:
    alerts = [Alert(id=new_id(), key="k", at=MONDAY, text="seldomseen") for _ in range(2)]
    with pytest.raises(IntegrityError) as failed, database.transaction() as session:
        session.add_all(alerts)
    assert "seldomseen" not in str(failed.value)


def test_every_constraint_has_a_name() -> None:
    for table in Base.metadata.tables.values():
        assert all(each.name for each in table.constraints | table.indexes)


INCREMENT = """
import sys
from sqlalchemy import select
from app.database import Database
from app.subscribers.models import UnsubscribeCount
database = Database(sys.argv[1])
for _ in range(100):
    with database.transaction() as session:
        row = session.scalars(select(UnsubscribeCount).with_for_update()).one()
        row.count = row.count + 1
"""


def test_writers_of_two_processes_wait_for_each_other(database: Database) -> None:
    with database.transaction() as session:
        session.add(UnsubscribeCount(day=MONDAY.date(), segment="en", reason="x", count=0))
    url = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", INCREMENT, url]
    with (
        subprocess.Popen(command, cwd=ROOT) as one,
        subprocess.Popen(command, cwd=ROOT) as other,
    ):
        assert (one.wait(), other.wait()) == (0, 0)
    with database.reading() as session:
        assert session.scalars(select(UnsubscribeCount.count)).one() == 200


def test_writers_of_one_process_wait_for_each_other(database: Database) -> None:
    with database.transaction() as session:
        session.add(UnsubscribeCount(day=MONDAY.date(), segment="en", reason="x", count=0))

    def increment(_: int) -> None:
        with database.transaction() as session:
            row = session.scalars(select(UnsubscribeCount).with_for_update()).one()
            row.count = row.count + 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(increment, range(40)))
    with database.reading() as reading:
        assert reading.scalars(select(UnsubscribeCount.count)).one() == 40


def test_a_reading_sees_one_instant(database: Database) -> None:
    departures = select(func.count()).select_from(UnsubscribeCount)

    def write() -> None:
        with database.transaction() as session:
            session.add(UnsubscribeCount(day=MONDAY.date(), segment="en", reason="x", count=0))

    with ThreadPoolExecutor(1) as pool:
        with database.reading() as reading:
            assert reading.scalar(departures) == 0
            written = pool.submit(write)
            # Written meanwhile, or, on SQLite without WAL, waiting until we have read.
            wait([written], timeout=None if not database.is_sqlite else 0.5)
            assert reading.scalar(departures) == 0
        written.result()
    with database.reading() as reading:
        assert reading.scalar(departures) == 1


@pytest.mark.parametrize(
    ("version", "sound"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 0), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_wal_is_used_where_it_is_sound(version: tuple[int, ...], *, sound: bool) -> None:
    assert wal_is_sound(version) is sound


@pytest.fixture
def sqlite(migrated_sqlite: Path, tmp_path: Path) -> Database:
    (tmp_path / "copy.db").write_bytes(migrated_sqlite.read_bytes())
    return Database(f"sqlite:///{tmp_path}/copy.db")


def test_sqlite_is_set_up_with_care(sqlite: Database) -> None:
    mode = "wal" if wal_is_sound(sqlite3.sqlite_version_info) else "truncate"
    wanted = {"foreign_keys": 1, "secure_delete": 1, "journal_mode": mode, "synchronous": 2}
    with sqlite.transaction() as writer, sqlite.reading() as reader:
        sessions: list[Session] = [writer, reader]
        for session in sessions:
            found = {name: session.scalar(text(f"PRAGMA {name}")) for name in wanted}
            assert found == wanted
    sqlite.close()


def held_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("copy.db*"))


def test_what_is_deleted_from_sqlite_is_overwritten(sqlite: Database, tmp_path: Path) -> None:
    mark = "seldomseen" * 20
    with sqlite.transaction() as session:
        session.add(Alert(id=new_id(), key="k", at=datetime(2025, 1, 1, tzinfo=UTC), text=mark))
    assert mark.encode() in held_in(tmp_path)
    with sqlite.transaction() as session:
        session.execute(text("DELETE FROM alerts"))
    sqlite.close()
    assert mark.encode() not in held_in(tmp_path)


def test_a_reader_does_not_stop_a_writer_from_waiting(sqlite: Database) -> None:
    with sqlite.reading() as session:
        session.execute(text("SELECT count(*) FROM alerts")).all()
    with sqlite.transaction() as session:
        keep(session, MONDAY)
    sqlite.close()


def test_a_private_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    file = tmp_path / "vestka.db"
    make_private(str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("kept")
    make_private(str(file))
    assert file.read_text() == "kept"


def test_no_rows_count_as_none() -> None:
    assert (scalar_count(None), scalar_count(3)) == (0, 3)
