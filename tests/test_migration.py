"""Migrating: from nothing to what the models say, once, whoever starts first."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, make_url, text

from app.database import Database
from app.migration import _LOCK, SchemaNewer, _config, migrate
from app.schema import is_current, newest
from app.tables import METADATA

ROOT = Path(__file__).parents[1]


def differences(database: Database) -> list[Any]:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, METADATA))


def tables(database: Database) -> set[str]:
    with database.engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def test_an_empty_database_becomes_what_the_models_say(database_url: str) -> None:
    database = Database(database_url)
    assert migrate(database)
    assert differences(database) == []
    assert tables(database) == {*METADATA.tables, "alembic_version"}
    assert not migrate(database)
    database.close()


def test_a_difference_would_be_seen(database_url: str) -> None:
    database = Database(database_url)
    migrate(database)
    with database.transaction() as session:
        session.execute(text("ALTER TABLE alerts DROP COLUMN text"))
    assert differences(database) != []
    database.close()


def test_there_is_one_line_of_migrations() -> None:
    scripts = ScriptDirectory.from_config(_config())
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1


def test_every_migration_goes_up_and_down_and_up(database_url: str) -> None:
    database = Database(database_url)
    migrate(database)
    with database.engine.connect() as connection:
        command.downgrade(_config(connection), "base")
        connection.commit()
    assert tables(database) <= {"alembic_version"}
    assert migrate(database)
    assert differences(database) == []
    database.close()


def test_a_newer_schema_is_left_alone(database_url: str) -> None:
    database = Database(database_url)
    migrate(database)
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaNewer):
        migrate(database)
    database.close()


MIGRATE = """
import sys
from app.database import Database
from app.migration import migrate
print(migrate(Database(sys.argv[1])))
"""


def test_processes_that_start_together_migrate_once(database_url: str) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, database_url],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    ended = [process.communicate() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], ended
    database = Database(database_url)
    assert differences(database) == []
    database.close()


def test_a_new_sqlite_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/vestka.db")
    migrate(database)
    database.close()
    assert (tmp_path / "vestka.db").stat().st_mode & 0o777 == 0o600


def test_a_migration_that_fails_leaves_nothing_and_no_lock(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(database_url)

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(command, "upgrade", fail)
        with pytest.raises(OSError, match="disk"):
            migrate(database)
    other = Database(make_url(database_url).render_as_string(hide_password=False))
    if not other.is_sqlite:
        with other.engine.connect() as connection:
            assert connection.scalar(text(f"SELECT pg_try_advisory_lock({_LOCK})"))
            connection.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"))
    assert migrate(database)
    database.close()
    other.close()


def test_what_is_newest_is_told_without_alembic(database_url: str) -> None:
    assert newest() == ScriptDirectory.from_config(_config()).get_current_head()
    database = Database(database_url)
    assert not is_current(database)
    migrate(database, "0011")
    assert not is_current(database)
    migrate(database)
    assert is_current(database)
    database.close()
