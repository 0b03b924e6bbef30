"""Who left stays away, also when the database forgets that they did."""

from pathlib import Path

from sqlalchemy import delete, select

from app.addresses.keyring import Keyring
from app.database import Database
from app.operators.models import Alert
from app.subscribers.deletion_log import EndingNotes
from app.subscribers.models import DeletedRow
from app.subscribers.unsubscription import UNSUBSCRIBED, end
from tests.support.builders import a_subscriber
from tests.support.clock import MONDAY

TODAY = MONDAY.date()


def leave(database: Database, keyring: Keyring, name: str = "ann") -> bytes:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring, f"{name}@example.org", segments=["en", "be-ru"])
        end(session, reader.id, ["en"], UNSUBSCRIBED, today=TODAY)
        assert session.get(DeletedRow, reader.id) is None
        end(session, reader.id, None, UNSUBSCRIBED, today=TODAY)
        return reader.id


def keep_up(database: Database, folder: Path) -> int:
    with database.transaction() as session:
        return EndingNotes(folder).keep_up(session, now=MONDAY)


def known(database: Database) -> list[bytes]:
    with database.reading() as session:
        return sorted(session.scalars(select(DeletedRow.id)))


def test_the_end_of_the_last_subscription_is_noted_with_its_day(
    database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    ann = leave(database, keyring)
    assert keep_up(database, tmp_path) == 0
    assert (tmp_path / "endings").read_text() == f"{ann.hex()} {TODAY}\n"
    assert (tmp_path / "endings").stat().st_mode & 0o777 == 0o600
    assert keep_up(database, tmp_path) == 0
    assert (tmp_path / "endings").read_text().count("\n") == 1


def test_what_the_database_forgot_is_told_to_it_and_to_the_operators(
    database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    ids = sorted([leave(database, keyring), leave(database, keyring, "bob")])
    keep_up(database, tmp_path)
    with database.transaction() as session:
        session.execute(delete(DeletedRow).where(DeletedRow.id == ids[0]))
    assert keep_up(database, tmp_path) == 1
    assert known(database) == ids
    with database.reading() as session:
        (alert,) = session.scalars(select(Alert))
        assert "restored from a backup" in alert.text
    assert keep_up(database, tmp_path) == 0


def test_what_ended_before_the_oldest_key_is_forgotten(
    database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    ann = leave(database, keyring)
    keep_up(database, tmp_path)
    with database.transaction() as session:
        EndingNotes(tmp_path).forget(session, TODAY)
    assert known(database) == [ann]
    with database.transaction() as session:
        EndingNotes(tmp_path).forget(session, MONDAY.date().replace(day=28))
    assert known(database) == []
    assert (tmp_path / "endings").read_text() == ""
    assert keep_up(database, tmp_path) == 0
