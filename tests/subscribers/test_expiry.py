"""What was never confirmed goes after three days at most, and nothing else does."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.addresses.address import EmailAddress
from app.addresses.keyring import Keyring
from app.database import Database
from app.subscribers.expiry import expire
from app.subscribers.models import (
    CONFIRMED,
    PENDING,
    ServiceMessage,
    SignUp,
    Subscriber,
    Subscription,
    UnsubscribeCount,
)
from app.subscribers.service_messages import ask_to_confirm
from app.subscribers.sign_up import drop
from app.subscribers.unsubscription import EXPIRED
from tests.support.builders import a_subscriber

ASKED = datetime(2025, 1, 27, 0, 0, tzinfo=UTC)
LAST = datetime(2025, 1, 29, 23, 59, 59, tzinfo=UTC)


def a_request(database: Database, keyring: Keyring, segments: tuple[str, ...] = ("en",)) -> bytes:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring, segments=segments, state=PENDING, now=ASKED).id
        ask_to_confirm(session, keyring, reader, segments, "en", ASKED.date())
    return reader


@pytest.mark.parametrize(("now", "left"), [(LAST, 1), (ASKED + timedelta(hours=72), 0)])
def test_a_request_lives_as_long_as_its_link(
    database: Database, keyring: Keyring, now: datetime, left: int
) -> None:
    a_request(database, keyring)
    with database.transaction() as session:
        assert expire(session, now=now) == 1 - left
    with database.reading() as session:
        for table in (Subscriber, Subscription, ServiceMessage):
            assert len(session.scalars(select(table)).all()) == left
        assert len(session.scalars(select(UnsubscribeCount)).all()) == 1 - left


def test_what_goes_is_counted(database: Database, keyring: Keyring) -> None:
    a_request(database, keyring, ("en", "be-ru"))
    with database.transaction() as session:
        expire(session, now=LAST + timedelta(days=4))
    with database.reading() as session:
        rows = session.execute(
            select(UnsubscribeCount.segment, UnsubscribeCount.reason, UnsubscribeCount.count)
        )
        assert sorted(map(tuple, rows)) == [("be-ru", EXPIRED, 1), ("en", EXPIRED, 1)]


def test_who_confirmed_stays(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, now=ASKED)
        assert expire(session, now=ASKED + timedelta(days=400)) == 0
        assert session.scalars(select(Subscription.state)).all() == [CONFIRMED]


def test_a_reader_loses_only_the_unconfirmed_wish(database: Database, keyring: Keyring) -> None:
    reader = a_request(database, keyring, ("en", "be-ru"))
    with database.transaction() as session:
        held = session.get(Subscription, (reader, "en"))
        assert held is not None
        held.state = CONFIRMED
    with database.transaction() as session:
        expire(session, now=LAST + timedelta(seconds=1))
    with database.reading() as session:
        assert session.scalars(select(Subscription.segment)).all() == ["en"]
        assert len(session.scalars(select(Subscriber)).all()) == 1


@pytest.mark.parametrize(("now", "left"), [(LAST, 1), (ASKED + timedelta(hours=72), 0)])
def test_a_hot_seal_lives_72_hours_at_most(
    database: Database, keyring: Keyring, now: datetime, left: int
) -> None:
    with database.transaction() as session:
        drop(
            session,
            keyring,
            EmailAddress.parse("ann@example.org"),
            segments=("en",),
            language="en",
            consent="1",
            today=ASKED.date(),
        )
    with database.transaction() as session:
        expire(session, now=now)
        assert len(session.scalars(select(SignUp)).all()) == left
