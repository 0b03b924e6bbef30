"""Farewells: nothing of the reader stays but an index, and no act of theirs is undone by it."""

from datetime import date, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from app.addresses.address import EmailAddress
from app.addresses.blind_index import never_indexes
from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.public_server import create_public
from app.settings import Settings
from app.subscribers.models import (
    CONFIRMED,
    PendingRemoval,
    ServiceMessage,
    Subscriber,
    Subscription,
)
from app.subscribers.pending_removals import end_suppressed, process
from app.subscribers.service_messages import send_manage_link, token_of
from app.subscribers.unsubscription import end_and_suppress
from app.suppressions.lookup import reasons_of
from app.suppressions.models import Suppression
from app.suppressions.reasons import COMPLAINT, DEAD, LEFT
from app.web.context import AppContext
from tests.support.builders import NEWSLETTER, WEEK, a_subscriber, visitor
from tests.support.clock import MONDAY

TODAY = MONDAY.date()
LATER = TODAY + timedelta(days=90)


def standing(session: Transaction, keyring: Keyring) -> list[str]:
    ann = never_indexes(keyring.never, EmailAddress.parse("ann@example.org"))
    return reasons_of(session, ann, today=TODAY)


@pytest.mark.parametrize(("reason", "until"), [(COMPLAINT, None), (DEAD, LATER)])
def test_the_sender_keeps_the_index_and_deletes_the_rest(
    database: Database, keyring: Keyring, reason: str, until: date | None
) -> None:
    with database.transaction() as session:
        ann = a_subscriber(session, keyring, segments=("en", "be-ru"))
        a_subscriber(session, keyring, "bob@example.org")
        for _ in range(2):
            end_and_suppress(session, ann.id, reason, until=until, today=TODAY)
        assert len(session.scalars(select(Subscription)).all()) == 1
    with database.transaction() as session:
        assert process(session, keyring, today=TODAY) == 1
        assert process(session, keyring, today=TODAY) == 0
        assert standing(session, keyring) == [reason]
        assert [row.until for row in session.scalars(select(Suppression))] == [until]
        assert len(session.scalars(select(Subscriber)).all()) == 1
        assert session.scalars(select(PendingRemoval)).all() == []


def test_who_is_suppressed_already_only_goes(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        ann = a_subscriber(session, keyring)
        end_suppressed(session, (ann.link_id, b"nobody's"), today=TODAY)
        process(session, keyring, today=TODAY)
        assert standing(session, keyring) == []
        assert session.scalars(select(Subscriber)).all() == []


def test_a_row_that_does_not_open_goes_all_the_same(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        ann = a_subscriber(session, keyring)
        session.execute(update(Subscriber).values(sealed=b"x" * 306))
        session.expire_all()
        end_and_suppress(session, ann.id, COMPLAINT, until=None, today=TODAY)
        process(session, keyring, today=TODAY)
        assert session.scalars(select(Subscriber)).all() == []


@pytest.fixture
def remembering(installation: AppContext) -> TestClient:
    """The readers' port of an installation that keeps tombstones."""
    environment = {
        "VESTKA_BLOCK_REIMPORT_FOR": "90d",
        "VESTKA_PUBLIC_URL": "https://news.example.org",
    }
    kept = AppContext(
        Settings(environment),
        installation.database,
        installation.clock,
        installation.newsletter,
        installation.keys,
    )
    return visitor(create_public(kept))


@pytest.mark.parametrize("way", ["unsubscribe", "nothing chosen", "erase"])
def test_a_tombstone_stands_for_its_time(
    database: Database, keyring: Keyring, remembering: TestClient, way: str
) -> None:
    with database.transaction() as session:
        ann = a_subscriber(session, keyring)
        send_manage_link(session, keyring, ann.id, "en", MONDAY)
        session.flush()
        (message,) = session.scalars(select(ServiceMessage))
        manage = f"/manage/{token_of(keyring, message.kind, message.nonce)}"
        leave = f"/unsubscribe/{keyring.links.unsubscribe(ann.link_id, WEEK.number, 'en')}"
    forms = {"nothing chosen": {"action": "save"}, "erase": {"action": "erase", "sure": "1"}}
    answer = remembering.post(manage if way in forms else leave, data=forms.get(way, {}))
    assert answer.status_code == 303
    with database.transaction() as session:
        assert session.scalars(select(Subscription)).all() == []
        assert session.scalars(select(ServiceMessage)).all() == []
        assert process(session, keyring, today=TODAY) == 1
        assert standing(session, keyring) == [LEFT]
        assert [row.until for row in session.scalars(select(Suppression))] == [LATER]
        assert session.scalars(select(Subscriber)).all() == []


def test_who_leaves_one_of_two_segments_stays(
    database: Database, keyring: Keyring, remembering: TestClient
) -> None:
    with database.transaction() as session:
        ann = a_subscriber(session, keyring, segments=("en", "be-ru"))
        leave = f"/unsubscribe/{keyring.links.unsubscribe(ann.link_id, WEEK.number, 'en')}"
    remembering.post(leave)
    with database.transaction() as session:
        assert process(session, keyring, today=TODAY) == 0
        assert len(session.scalars(select(Subscription)).all()) == 1


def test_who_comes_back_at_once_stays(
    database: Database, keyring: Keyring, remembering: TestClient
) -> None:
    with database.transaction() as session:
        ann = a_subscriber(session, keyring)
        leave = f"/unsubscribe/{keyring.links.unsubscribe(ann.link_id, WEEK.number, 'en')}"
    remembering.post(leave)
    with database.transaction() as session:
        held = Subscription(
            subscriber_id=ann.id,
            segment="en",
            state=CONFIRMED,
            consent=NEWSLETTER.current_consent.version,
            requested_day=TODAY,
            confirmed_day=TODAY,
        )
        session.add(held)
    with database.transaction() as session:
        assert process(session, keyring, today=TODAY) == 1
        assert len(session.scalars(select(Subscription)).all()) == 1


def test_by_default_nothing_is_kept(
    database: Database, keyring: Keyring, readers: TestClient
) -> None:
    with database.transaction() as session:
        ann = a_subscriber(session, keyring)
        leave = f"/unsubscribe/{keyring.links.unsubscribe(ann.link_id, WEEK.number, 'en')}"
    readers.post(leave)
    with database.transaction() as session:
        assert session.scalars(select(Subscriber)).all() == []
        assert session.scalars(select(PendingRemoval)).all() == []
        assert process(session, keyring, today=TODAY) == 0


def test_leaving_once_more_does_not_undo_it(
    database: Database, keyring: Keyring, readers: TestClient
) -> None:
    """Who reported spam presses the link of the message, too, before the sender has looked."""
    with database.transaction() as session:
        ann = a_subscriber(session, keyring)
        leave = f"/unsubscribe/{keyring.links.unsubscribe(ann.link_id, WEEK.number, 'en')}"
        end_and_suppress(session, ann.id, COMPLAINT, until=None, today=TODAY)
    assert readers.post(leave).status_code == 303
    with database.transaction() as session:
        assert process(session, keyring, today=TODAY) == 1
        assert standing(session, keyring) == [COMPLAINT]
        assert session.scalars(select(Subscriber)).all() == []


@pytest.mark.parametrize("order", [(DEAD, COMPLAINT), (COMPLAINT, DEAD), (LEFT, COMPLAINT)])
def test_the_gravest_reason_is_kept(
    database: Database, keyring: Keyring, order: tuple[str, ...]
) -> None:
    with database.transaction() as session:
        ann = a_subscriber(session, keyring)
        for reason in order:
            until = None if reason == COMPLAINT else LATER
            end_and_suppress(session, ann.id, reason, until=until, today=TODAY)
        process(session, keyring, today=TODAY)
        assert standing(session, keyring) == [COMPLAINT]
        assert [row.until for row in session.scalars(select(Suppression))] == [None]


@pytest.mark.parametrize(
    ("first", "second", "kept"), [(1, 2, 2), (2, 1, 2), (0, 1, None), (1, 0, None)]
)
def test_who_leaves_again_is_remembered_for_the_longer_time(
    database: Database, keyring: Keyring, first: int, second: int, kept: int | None
) -> None:
    """They came back by their own act, and the first mark is there still; 0 is for ever."""

    def until(years: int | None) -> date | None:
        return TODAY + timedelta(days=365 * years) if years else None

    for years in (first, second):
        with database.transaction() as session:
            ann = a_subscriber(session, keyring)
            end_and_suppress(session, ann.id, LEFT, until=until(years), today=TODAY)
            process(session, keyring, today=TODAY)
    with database.reading() as reading:
        assert [row.until for row in reading.scalars(select(Suppression))] == [until(kept)]


def test_the_sender_and_the_reader_do_not_wait_in_a_circle(
    database: Database, keyring: Keyring
) -> None:
    """Both lock the subscriber first: whoever comes second passes by, or waits for the first."""
    with database.transaction() as session:
        ann = a_subscriber(session, keyring)
        end_and_suppress(session, ann.id, COMPLAINT, until=None, today=TODAY)
    if database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    with database.transaction() as leaving:
        leaving.scalars(select(Subscriber).with_for_update()).one()
        with database.transaction() as session:
            assert process(session, keyring, today=TODAY) == 0
    with database.transaction() as session:
        assert process(session, keyring, today=TODAY) == 1
