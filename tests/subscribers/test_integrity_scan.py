"""The list is looked through before messages are due; only counts leave here."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.addresses.keyring import Keyring
from app.database import Database
from app.operators.models import Alert
from app.subscribers import integrity_scan
from app.subscribers.integrity_scan import IntegrityScan, scan_all
from app.subscribers.models import Quarantined, Subscriber
from app.subscribers.quarantine import KEPT, SIGN_UP, counts, forget, set_apart
from app.subscribers.row_integrity import Flaw
from tests.support.builders import a_subscriber
from tests.support.clock import MONDAY

FLAWED = {("subscriber", str(Flaw.CHANGED)): 1}


def found(database: Database) -> dict[tuple[str, str], int]:
    with database.reading() as session:
        return counts(session)


def test_a_flawed_row_is_counted_once_told_once_and_named_nowhere(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, "ann@example.org")
        a_subscriber(session, keyring, "bob@example.org").link_id = b"elsewhere"[:8]
    scrub = IntegrityScan()
    for _ in range(3):
        assert scrub.look(database, keyring, now=MONDAY) == 2
    assert found(database) == FLAWED
    with database.reading() as session:
        (alert,) = session.scalars(select(Alert))
        assert "@" not in alert.text
        assert session.scalars(select(Quarantined.day)).one() == MONDAY.date()


def test_what_is_whole_again_or_gone_is_taken_out(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring)
        link_id = reader.link_id
        reader.link_id = b"elsewhere"[:8]
    scrub = IntegrityScan()
    scrub.look(database, keyring, now=MONDAY)
    assert found(database) == FLAWED
    with database.transaction() as session:
        session.execute(update(Subscriber).values(link_id=link_id))
    scrub.look(database, keyring, now=MONDAY)
    assert found(database) == {}
    with database.transaction() as session:
        session.execute(update(Subscriber).values(link_id=b"elsewhere"[:8]))
    scrub.look(database, keyring, now=MONDAY)
    with database.transaction() as session:
        session.delete(session.scalars(select(Subscriber)).one())
    scrub.look(database, keyring, now=MONDAY)
    assert found(database) == {}


def test_every_row_has_its_turn(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity_scan, "BATCH", 2)
    with database.transaction() as session:
        for number in range(5):
            a_subscriber(session, keyring, f"r{number}@example.org")
        session.execute(update(Subscriber).values(admit=b"x" * 33))
    seen: list[int] = []
    assert scan_all(database, keyring, now=MONDAY, seen=seen.append) == 5
    assert seen == [2, 2, 1]
    assert sum(found(database).values()) == 5


def test_sign_ups_are_forgotten_after_a_while(database: Database) -> None:
    with database.transaction() as session:
        set_apart(session, SIGN_UP, {b"x": Flaw.TWO}, now=MONDAY)
        forget(session, now=MONDAY + KEPT)
        assert counts(session) == {(SIGN_UP, str(Flaw.TWO)): 1}
        forget(session, now=MONDAY + KEPT + timedelta(days=1))
        assert counts(session) == {}
