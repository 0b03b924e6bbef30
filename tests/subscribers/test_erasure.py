"""Erasing: everything about one address, and nothing about any other."""

from sqlalchemy import delete, select

from app.addresses.address import EmailAddress
from app.addresses.keyring import Keyring
from app.database import Database
from app.instance.models import WitnessEvent
from app.subscribers.erasure import erase_address
from app.subscribers.models import DeletedRow, SignUp, UnsubscribeCount
from app.subscribers.service_messages import ask_to_confirm, send_manage_link
from app.subscribers.sign_up import drop, drop_manage_wish
from app.subscribers.unsubscription import ERASED
from tests.support.builders import a_subscriber, everything
from tests.support.clock import MONDAY

ANN = "ann@example.org"
TODAY = MONDAY.date()


def erase(database: Database, keyring: Keyring, address: str = ANN) -> bool:
    with database.transaction() as session:
        return erase_address(session, keyring, EmailAddress.parse(address), today=TODAY)


def sign_up(database: Database, keyring: Keyring, address: str) -> None:
    parsed = EmailAddress.parse(address)
    with database.transaction() as session:
        drop(session, keyring, parsed, segments=["en"], language="en", consent="1", today=TODAY)
        drop_manage_wish(session, keyring, parsed, language="en", today=TODAY)


def test_all_rows_of_the_reader_are_gone_but_a_count(database: Database, keyring: Keyring) -> None:
    nothing = everything(database)
    with database.transaction() as session:
        ann = a_subscriber(session, keyring, ANN, segments=["en", "be-ru"])
        send_manage_link(session, keyring, ann.id, "en", MONDAY)
        ask_to_confirm(session, keyring, ann.id, ["en"], "en", TODAY)
    assert erase(database, keyring, "ANN@Example.org")
    with database.transaction() as session:
        left = session.query(UnsubscribeCount).all()
        assert {(each.segment, each.reason, each.count) for each in left} == {
            ("en", ERASED, 1),
            ("be-ru", ERASED, 1),
        }
        for each in left:
            session.delete(each)
        assert [tuple(row) for row in session.execute(select(DeletedRow.id, DeletedRow.day))] == [
            (ann.id, TODAY)  # means nothing any more, but that no such row may come back
        ]
        session.execute(delete(DeletedRow))
        session.execute(delete(WitnessEvent))
    assert everything(database) == nothing


def test_what_waits_in_the_inbox_is_erased_too(database: Database, keyring: Keyring) -> None:
    nothing = everything(database)
    sign_up(database, keyring, "Ann@example.org")
    assert erase(database, keyring)
    assert everything(database) == nothing


def test_others_stay_as_they_are(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, "bob@example.org")
    sign_up(database, keyring, "carol@example.org")
    before = everything(database)
    assert not erase(database, keyring)
    assert everything(database) == before


def test_a_damaged_sign_up_stops_nobody(database: Database, keyring: Keyring) -> None:
    sign_up(database, keyring, "bob@example.org")
    with database.transaction() as session:
        a_subscriber(session, keyring, ANN)
        for waiting in session.scalars(select(SignUp)):
            waiting.hot = bytes(306)
    assert erase(database, keyring)
