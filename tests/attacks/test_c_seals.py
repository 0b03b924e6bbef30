"""Attacks C: whoever takes the database, the disk, or one of the hosts."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import DateTime, LargeBinary, Table, select
from starlette.applications import Starlette

from app.addresses.address import EmailAddress
from app.addresses.keyring import Keyring
from app.addresses.public_keys import PublicKeys
from app.cli.app_context import CommandContext
from app.database import Database
from app.keys.key_format import key_names
from app.public_server import create_public
from app.settings import Settings, SettingWrong
from app.subscribers.admission import admit
from app.subscribers.models import ServiceMessage, SignUp, Subscriber, Subscription
from app.subscribers.sign_up import drop
from app.tables import METADATA
from app.web.context import AppContext
from tests.attacks.links import links_of_a_reader
from tests.support.builders import everything, visitor
from tests.support.clock import MONDAY

LIST = ("sign_ups", "subscribers", "subscriptions")


@pytest.fixture
def outside(installation: AppContext, keys_dir: Path, tmp_path: Path) -> Starlette:
    """The readers' port on a host that holds public keys and the link key, and no other."""
    folder = tmp_path / "outside"
    folder.mkdir(mode=0o700)
    for name in key_names(keys_dir):
        if name.suffix == "pub" or name.purpose == "link":
            shutil.copy2(keys_dir / str(name), folder)
    assert {name.purpose for name in key_names(folder) if name.suffix == "key"} == {"link"}
    return create_public(
        AppContext(
            installation.settings,
            installation.database,
            installation.clock,
            installation.newsletter,
            PublicKeys.load(folder),
        )
    )


def test_c2_the_readers_port_needs_no_private_key(
    outside: Starlette, database: Database, keyring: Keyring
) -> None:
    readers = visitor(outside)  # type: ignore[arg-type]  # it is a FastAPI
    links = links_of_a_reader(database, keyring)
    wish = {"email": "ann@example.org", "segments": ["en"]}
    assert readers.post("/v1/subscriptions", json=wish).status_code == 202
    assert readers.post("/v1/manage-links", json={"email": "ann@example.org"}).status_code == 202
    assert readers.post(links.path("confirm")).status_code == 303
    assert readers.post(links.path("manage"), data={"action": "download"}).status_code == 200
    assert readers.post(links.path("unsubscribe"), data={"everything": "1"}).status_code == 303
    with database.transaction() as session:
        assert admit(session, keyring, rates=(), now=MONDAY) == 2, "and the sender reads it all"
        assert len(session.scalars(select(Subscriber)).all()) == 1


def files_with(folder: Path, needle: bytes) -> list[str]:
    return [
        file.name for file in folder.iterdir() if file.is_file() and needle in file.read_bytes()
    ]


@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
def test_c10_what_was_erased_is_in_no_file_of_the_database(
    database: Database, keyring: Keyring, readers: TestClient, tmp_path: Path
) -> None:
    links = links_of_a_reader(database, keyring)
    with database.reading() as session:
        reader = session.scalars(select(Subscriber)).one()
        traces = [reader.sealed[:32], reader.sealed[-32:], reader.blind_index, reader.admit]
    assert all(files_with(tmp_path, trace) for trace in traces)
    assert readers.post(links.path("manage"), data={"action": "erase", "sure": "1"}).is_redirect
    assert [files_with(tmp_path, trace) for trace in traces] == [[]] * len(traces)


@pytest.fixture
def own_keys(keys_dir: Path, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "own"
    shutil.copytree(keys_dir, folder)
    yield folder
    for file in folder.iterdir():
        file.chmod(0o600)


def refused(**settings: str) -> str:
    with pytest.raises(SettingWrong) as wrong:
        _ = CommandContext(settings).keyring
    return str(wrong.value)


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644])
def test_c11_a_key_others_can_read_stops_the_start(
    own_keys: Path, tmp_path: Path, mode: int
) -> None:
    file = own_keys / "list.1.key"
    file.chmod(mode)
    said = refused(VESTKA_KEYS_DIR=str(own_keys), VESTKA_DATA_DIR=str(tmp_path / "var"))
    assert "list.1.key" in said
    assert "0400" in said
    assert file.read_text().split()[0] not in said


def test_c11_keys_among_the_data_stop_the_start(own_keys: Path, tmp_path: Path) -> None:
    said = refused(VESTKA_KEYS_DIR=str(own_keys), VESTKA_DATA_DIR=str(tmp_path))
    assert "inside the data directory" in said


def test_c11_no_setting_takes_a_key() -> None:
    """What is in the environment can be read from outside: no key can be put there."""
    takes = {knob.name for knob in Settings.declared() if "KEY" in knob.name}
    assert takes == {"VESTKA_KEYS_DIR"}


def test_c12_no_column_tells_a_domain_or_when_somebody_came(
    database: Database, keyring: Keyring
) -> None:
    for name in LIST:
        table = METADATA.tables[name]
        assert not [c.name for c in table.columns if isinstance(c.type, DateTime)], name
        assert not [c.name for c in table.columns if "domain" in c.name or "order" in c.name]
    came: list[bytes] = []
    with database.transaction() as session:
        for number in range(40):
            domain = "example.org" if number % 2 else "example.com"
            address = EmailAddress(f"reader{number}@{domain}")
            drop(
                session,
                keyring,
                address,
                segments=["en"],
                language="en",
                consent="1",
                today=MONDAY.date(),
            )
            session.flush()
            (added,) = {row.id for row in session.scalars(select(SignUp))} - set(came)
            came.append(added)
    with database.transaction() as session:
        admit(session, keyring, rates=(), now=MONDAY)
    rows = everything(database)["subscribers"]
    assert {row[0] for row in rows} == set(came)
    assert came not in (sorted(came), sorted(came, reverse=True)), "ids do not tell the order"
    assert len({tuple(len(v) for v in row if isinstance(v, bytes)) for row in rows}) == 1
    assert "example" not in repr(everything(database))


def test_c12_ids_are_random_and_rows_lie_in_their_order(database: Database) -> None:
    for model in (SignUp, Subscriber, Subscription, ServiceMessage):
        table = model.__table__
        assert isinstance(table, Table)
        assert isinstance(next(iter(table.primary_key.columns)).type, LargeBinary)
        assert table.dialect_options["sqlite"]["with_rowid"] is False, "a rowid would count them"
