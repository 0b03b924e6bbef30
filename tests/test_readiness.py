"""Ready means that the work can be done: the database, the disk and the keys, each by itself."""

from functools import partial
from pathlib import Path

import pytest

from app.addresses.public_keys import PublicKeys
from app.database import Database
from app.migration import migrate
from app.readiness import NO_DATABASE, NO_DISK, NO_KEYS, READ_ONLY, Readiness
from tests.support.postgres import PostgresServer


@pytest.fixture
def here(database: Database, tmp_path: Path, keys_dir: Path) -> Readiness:
    return Readiness(database, tmp_path, partial(PublicKeys.load, keys_dir))


def test_nothing_is_missing_and_no_file_is_left(here: Readiness, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    assert here.fault() is None
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("folder", ["/proc", "/sys", "/nowhere/at/all"])
def test_a_disk_that_takes_nothing(database: Database, keys_dir: Path, folder: str) -> None:
    keys = partial(PublicKeys.load, keys_dir)
    assert Readiness(database, Path(folder), keys).fault() == NO_DISK
    assert Readiness(database, None, keys).fault() is None


def test_keys_that_are_not_there(database: Database, tmp_path: Path) -> None:
    readiness = Readiness(database, tmp_path, partial(PublicKeys.load, tmp_path))
    assert readiness.fault() == NO_KEYS


def test_it_looks_again_at_once_after_a_fault(
    database: Database, tmp_path: Path, keys_dir: Path
) -> None:
    folders = [tmp_path, keys_dir]
    readiness = Readiness(database, tmp_path, lambda: PublicKeys.load(folders.pop(0)))
    assert readiness.fault() == NO_KEYS
    assert readiness.fault() is None
    assert readiness.fault() is None  # seen a moment ago, and not looked at again
    assert folders == []


def test_a_database_that_is_not_there(tmp_path: Path, keys_dir: Path) -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert Readiness(away, None, partial(PublicKeys.load, keys_dir)).fault() == NO_DATABASE
    away.close()


def test_a_server_that_only_answers_reads(postgres: PostgresServer, keys_dir: Path) -> None:
    url = postgres.fresh_database()
    database = Database(url)
    migrate(database)
    database.close()
    standby = Database(url + "&options=-c%20default_transaction_read_only%3Don")
    fault = Readiness(standby, None, partial(PublicKeys.load, keys_dir)).fault()
    standby.close()
    postgres.drop(url)
    assert fault == READ_ONLY
