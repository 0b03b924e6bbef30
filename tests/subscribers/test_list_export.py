"""The list goes out: complete, readable by the import, and for its owner's eyes only."""

import io
from pathlib import Path

import pytest

from app.addresses.keyring import Keyring
from app.database import Database
from app.subscribers import list_export
from app.subscribers.imports.importing import Consent, take_in
from app.subscribers.imports.list_batches import Tally, batches
from app.subscribers.imports.list_file import read_list
from app.subscribers.list_export import FileThere, FileUnwritable, export, private_file
from app.subscribers.models import PENDING, Subscriber, Subscription
from tests.support.builders import NEWSLETTER, a_subscriber
from tests.support.clock import MONDAY

# Whatever a local part may begin with, also what begins a formula.
ODD = ["=cmd|x!a0", "+1+1", "'quoted", "|pipe", "#hash", "{brace", "o'neill"]


def exported(database: Database, keyring: Keyring) -> tuple[list[str], tuple[int, int]]:
    file = io.BytesIO()
    result = export(database, keyring, NEWSLETTER, file)
    header, *lines = file.getvalue().decode().splitlines()
    assert header == "email,segments,language"
    return sorted(lines), (result.written, result.damaged)


def test_confirmed_subscriptions_are_written(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, "Ann@example.org")
        both = a_subscriber(session, keyring, "b@example.org", segments=["be-ru", "en"])
        both.language = "ru"
        a_subscriber(session, keyring, "waiting@example.org", state=PENDING)
        half = a_subscriber(session, keyring, "half@example.org", segments=["en", "be-ru"])
        held = session.get(Subscription, (half.id, "be-ru"))
        assert held is not None
        held.state = PENDING
    lines, result = exported(database, keyring)
    assert lines == ["Ann@example.org,en,en", "b@example.org,en be-ru,ru", "half@example.org,en,en"]
    assert result == (3, 0)


def test_all_batches_are_written(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_export, "BATCH", 3)
    with database.transaction() as session:
        for number in range(7):
            a_subscriber(session, keyring, f"r{number}@example.org")
    lines, result = exported(database, keyring)
    assert lines == [f"r{number}@example.org,en,en" for number in range(7)]
    assert result == (7, 0)


def test_an_empty_list_is_a_header(database: Database, keyring: Keyring) -> None:
    assert exported(database, keyring) == ([], (0, 0))


def test_a_changed_or_planted_row_is_left_out(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, "ann@example.org")
        planted = a_subscriber(session, keyring, "planted@example.org")
        planted.admit = bytes(33)
    assert exported(database, keyring) == (["ann@example.org,en,en"], (1, 1))


def test_what_is_exported_can_be_imported(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        for number, local in enumerate(ODD):
            segments = ("en", "be-ru") if number % 2 else ("be-ru",)
            a_subscriber(session, keyring, f"{local}@example.org", segments=segments, language="be")
    before, _ = exported(database, keyring)
    with database.transaction() as session:
        for reader in session.query(Subscriber).all():
            session.delete(reader)
    tally = Tally()
    content = "\n".join(["email,segments,language", *before]).encode()
    rows = batches(read_list(io.BytesIO(content), NEWSLETTER), keyring.index, keyring.never, tally)
    take_in(database, keyring, rows, Consent("again"), tally, now=MONDAY)
    assert tally.added == len(ODD)
    assert exported(database, keyring)[0] == before


def test_a_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    with private_file(path) as file:
        file.write(b"x")
        assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == "x"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("before")
    with pytest.raises(FileThere), private_file(path):
        pass
    assert path.read_text() == "before"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(FileThere), private_file(tmp_path / "link"):
        pass
    assert not (tmp_path / "target").exists()


def test_a_file_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileUnwritable), private_file(tmp_path / "no" / "list.csv"):
        pass


def test_a_half_written_file_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"

    def write() -> None:
        with private_file(path) as file:
            file.write(b"x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert not path.exists()
