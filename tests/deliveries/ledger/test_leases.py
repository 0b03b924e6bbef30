"""A lease is good while it is renewed; a number is given once."""

from datetime import timedelta

from sqlalchemy import delete, select

from app.addresses.keyring import Keyring
from app.database import Database
from app.deliveries.ledger.leases import LEASE, dead_senders, forget, register, renew
from app.deliveries.ledger.models import Delivery, Sender
from tests.deliveries.rows import claimed
from tests.support.clock import MONDAY

LATER = MONDAY + LEASE + timedelta(seconds=1)


def test_who_renews_lives(database: Database) -> None:
    with database.transaction() as session:
        mine = register(session, "one", "/one", now=MONDAY)
        other = register(session, "two", "/two", now=MONDAY)
        assert renew(session, mine, "one", "/one", now=MONDAY + LEASE)
        silent = {mine: MONDAY + LEASE, other: MONDAY + LEASE}
        assert [s.id for s in dead_senders(session, "three", None, silent)] == [other]


def test_who_renews_too_late_is_told(database: Database) -> None:
    with database.transaction() as session:
        mine = register(session, "one", "/one", now=MONDAY)
        assert not renew(session, mine, "one", "/one", now=LATER)
        assert renew(session, mine, "one", "/one", now=LATER)


def test_who_was_forgotten_is_written_down_again(database: Database) -> None:
    with database.transaction() as session:
        mine = register(session, "one", "/one", now=MONDAY)
        session.execute(delete(Sender))
        session.expire_all()
        assert not renew(session, mine, "one", "/one", now=LATER)
        assert session.scalars(select(Sender.id)).all() == [mine]


def test_our_own_earlier_lives_are_dead_at_once(database: Database) -> None:
    with database.transaction() as session:
        earlier = register(session, "one", "/one", now=MONDAY)
        mine = register(session, "one", "/one", now=MONDAY)
        assert [s.id for s in dead_senders(session, "one", mine)] == [earlier]


def test_who_holds_messages_is_not_forgotten(database: Database, keyring: Keyring) -> None:
    _, sender_id, _ = claimed(database, keyring)
    with database.transaction() as session:
        forget(session, sender_id)
        assert session.scalar(select(Sender.id)) == sender_id
        session.execute(delete(Delivery))
        forget(session, sender_id)
        assert session.scalar(select(Sender.id)) is None


def test_no_number_is_given_twice(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        first = register(session, "one", "/one", now=MONDAY)
        forget(session, first)
        assert register(session, "two", "/two", now=MONDAY) > first
