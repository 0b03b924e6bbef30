"""What most tests need: a migrated database on each engine, keys, an installation, its rows.

The schema is migrated once per engine and run, and copied for each test.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from app.addresses.address import EmailAddress
from app.addresses.admission import admit_mac
from app.addresses.blind_index import blind_index
from app.addresses.keyring import Keyring
from app.addresses.public_keys import PublicKeys
from app.addresses.sealing import seal
from app.database import Database, Transaction
from app.db_roles import grant_all
from app.editions.freezing import freeze
from app.issues.approval import approve
from app.issues.content import IssueContent
from app.issues.drafting import store
from app.issues.week import Week
from app.keys.creation import create_keys
from app.log import configure
from app.migration import migrate
from app.newsletter import Newsletter
from app.operators.api_keys import create_key
from app.operators.scopes import parse_scopes
from app.operators_server import create_operators
from app.public_server import create_public
from app.settings import Settings
from app.subscribers.models import CONFIRMED, Subscriber, Subscription
from app.tables import METADATA
from app.tokens import new_id, new_link_id
from app.web.context import AppContext
from tests.support.clock import MONDAY, SetClock

if TYPE_CHECKING:  # pytest must be the first to import the plugins
    from tests.support.postgres import PostgresServer

NEWSLETTER = Newsletter.load()
PUBLIC_URL = "https://news.example.org"
WEEK = Week.parse("2025-W04")
ROLES_BEGIN = "vestka_test"


@pytest.fixture(scope="session", autouse=True)
def unheard_journal() -> Iterator[None]:
    """Log as the service does, into nothing: unconfigured, structlog would draw each traceback."""
    with Path(os.devnull).open("w", encoding="utf-8") as nothing:
        configure("json", nothing)
        yield


def prepare(url: str) -> None:
    """Make all tables in an empty database, and on PostgreSQL the rights of the roles."""
    database = Database(url)
    migrate(database)
    if not database.is_sqlite:
        grant_all(database, ROLES_BEGIN)
    database.close()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SQLite file that tests copy."""
    path = tmp_path_factory.mktemp("migrated") / "vestka.db"
    prepare(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with all tables and no rows: each test runs once on each engine."""
    if request.param == "sqlite":
        pattern: Path = request.getfixturevalue("migrated_sqlite")
        shutil.copy(pattern, tmp_path / "vestka.db")
        yield f"sqlite:///{tmp_path}/vestka.db"
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    url = postgres.fresh_database(postgres.prepared("migrated", prepare))
    yield url
    postgres.drop(url)


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    """A migrated database, opened."""
    opened = Database(migrated_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def keys_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key files of this run."""
    folder = tmp_path_factory.mktemp("keys")
    create_keys(folder)
    return folder


@pytest.fixture(scope="session")
def keyring(keys_dir: Path) -> Keyring:
    """All keys."""
    return Keyring.load(keys_dir)


@pytest.fixture
def clock() -> SetClock:
    """A clock that stands on a Monday."""
    return SetClock()


@pytest.fixture
def installation(database: Database, keys_dir: Path, clock: SetClock) -> AppContext:
    """What the web processes are given."""
    settings = Settings(
        {
            "VESTKA_DATABASE_URL": database.url.render_as_string(hide_password=False),
            "VESTKA_KEYS_DIR": str(keys_dir),
            "VESTKA_PUBLIC_URL": PUBLIC_URL,
            "VESTKA_FROM": "News <news@example.org>",
            "VESTKA_RELAYS": "smtp+insecure://127.0.0.1:1",
        }
    )
    return AppContext(settings, database, clock, NEWSLETTER, PublicKeys.load(keys_dir))


@contextmanager
def in_role(database: Database, role: str) -> Iterator[Database]:
    """Open the database with the rights of this role alone; SQLite has none to tell apart."""
    if database.is_sqlite:
        yield database
        return
    options = {"options": f"-crole={ROLES_BEGIN}_{role}"}
    url = database.url.update_query_dict(options)
    opened = Database(url.render_as_string(hide_password=False))
    yield opened
    opened.close()


def visitor(app: FastAPI) -> TestClient:
    """Return a client that follows nothing and gets a 500 as an answer, like any other.

    It calls from this machine, as the website's own server does: it is never limited.
    """
    return TestClient(
        app,
        base_url=PUBLIC_URL,
        client=("127.0.0.1", 50_000),
        raise_server_exceptions=False,
        follow_redirects=False,
    )


def served(client: TestClient) -> Database:
    """Return the database that a port works with."""
    app: Any = client.app
    database: Database = app.state.installation.database
    return database


@pytest.fixture
def readers(installation: AppContext) -> Iterator[TestClient]:
    """The readers' port, with the database rights of its role."""
    with in_role(installation.database, "public") as database:
        yield visitor(create_public(replace(installation, database=database)))


@pytest.fixture
def operators(installation: AppContext) -> Iterator[TestClient]:
    """The operators' port, with its role's rights, called with a key that may do everything."""
    with in_role(installation.database, "operators") as database:
        client = visitor(create_operators(replace(installation, database=database)))
        client.headers["Authorization"] = f"Bearer {a_key(installation.database)}"
        yield client


def a_key(database: Database, scope: str = "all", name: str = "editor") -> str:
    """Make an API key."""
    with database.transaction() as session:
        return create_key(session, name, parse_scopes(scope), today=MONDAY.date())


def a_subscriber(
    session: Transaction,
    keyring: Keyring,
    address: str = "ann@example.org",
    *,
    segments: Sequence[str] = ("en",),
    language: str = "en",
    state: str = CONFIRMED,
    now: datetime = MONDAY,
) -> Subscriber:
    """Add a reader whom the sender let in, with these subscriptions."""
    parsed, row_id, link_id = EmailAddress.parse(address), new_id(), new_link_id()
    sealed, index = seal(keyring.list_sealing, row_id, parsed), blind_index(keyring.index, parsed)
    reader = Subscriber(
        id=row_id,
        link_id=link_id,
        blind_index=index,
        sealed=sealed,
        admit=admit_mac(keyring.admit, row_id, link_id, index, sealed),
        language=language,
        day=now.date(),
    )
    session.add(reader)
    session.flush()
    for segment in segments:
        held = Subscription(
            subscriber_id=row_id,
            segment=segment,
            state=state,
            consent=NEWSLETTER.current_consent.version,
            requested_day=now.date(),
            confirmed_day=now.date() if state == CONFIRMED else None,
        )
        session.add(held)
    session.flush()
    return reader


def a_document(
    week: str = "2025-W04", *, languages: Sequence[str] = ("en", "be", "ru"), said: str = "Text"
) -> dict[str, Any]:
    """Return an issue of one commentary as an operator sends it."""
    texts = {each: {"title": f"{said} ({each})", "body": f"{said}."} for each in languages}
    commentary = {"rubric": "economy", "situation": "unchanged", "texts": texts}
    return {"week": week, "commentaries": [commentary]}


def an_issue(
    session: Transaction,
    week: Week = WEEK,
    *,
    languages: Sequence[str] = ("en", "be", "ru"),
    approved: Sequence[str] = (),
    now: datetime = MONDAY,
) -> Week:
    """Store an issue, and approve it for these segments, with its editions."""
    content = IssueContent.model_validate(a_document(str(week), languages=languages))
    store(session, NEWSLETTER, week, content, now=now)
    if approved:
        approve(session, NEWSLETTER, week, approved, by="editor", now=now)
        freeze(session, NEWSLETTER, week, approved, public_url=PUBLIC_URL, now=now)
    return week


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables, in an order that does not depend on the engine."""
    with database.reading() as session:
        return {table.name: _rows(session, table) for table in METADATA.sorted_tables}


def _rows(session: Session, table: Table) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in session.execute(select(table))), key=repr)
