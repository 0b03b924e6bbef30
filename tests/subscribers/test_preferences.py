"""The manage link: thirty minutes of changing what one gets, seeing what is kept, leaving."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.addresses.keyring import Keyring
from app.database import Database
from app.subscribers.models import CONFIRMED, PENDING, ServiceMessage, Subscriber, UnsubscribeCount
from app.subscribers.preferences import Kept, change, erase, kept
from app.subscribers.service_message_kinds import CONFIRMATION, MANAGE_LINK
from app.subscribers.service_messages import ask_to_confirm, send_manage_link, token_of
from app.subscribers.unsubscription import ERASED, UNSUBSCRIBED
from app.tokens import LinkUnknown
from tests.support.builders import a_subscriber
from tests.support.clock import MONDAY


def a_link(
    database: Database,
    keyring: Keyring,
    segments: tuple[str, ...] = ("en",),
    state: str = CONFIRMED,
) -> str:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring, segments=segments, state=state)
        send_manage_link(session, keyring, reader.id, "en", MONDAY)
        session.flush()
        nonce = session.scalars(select(ServiceMessage.nonce)).one()
    return token_of(keyring, MANAGE_LINK, nonce)


def choose(database: Database, token: str, *segments: str, language: str = "be") -> bool:
    with database.transaction() as session:
        return change(session, token, segments=segments, language=language, consent="2", now=MONDAY)


def look(database: Database, token: str) -> Kept:
    with database.reading() as session:
        return kept(session, token, now=MONDAY)


def departures(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        rows = session.scalars(select(UnsubscribeCount)).all()
    return sorted((row.segment, row.reason) for row in rows)


def test_a_link_lives_thirty_minutes(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring)
    with database.reading() as session:
        last = MONDAY + timedelta(minutes=29, seconds=59)
        assert kept(session, token, now=last).confirmed == ("en",)
        with pytest.raises(LinkUnknown):
            kept(session, token, now=MONDAY + timedelta(minutes=30))


def test_what_is_kept_is_shown_without_an_address(database: Database, keyring: Keyring) -> None:
    record = look(database, a_link(database, keyring, ("en", "be-ru"))).as_record({})
    assert "@" not in repr(record)
    assert [each["segment"] for each in record["subscriptions"]] == [  # type: ignore[attr-defined]
        "be-ru",
        "en",
    ]


def test_a_reader_adds_and_drops_segments(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring, ("en",))
    assert choose(database, token, "be-ru")
    facts = look(database, token)
    assert facts.confirmed == ("be-ru",)
    assert facts.language == "be"
    assert facts.subscriptions[0].consent == "2"
    assert departures(database) == [("en", UNSUBSCRIBED)]


def test_choosing_the_same_changes_no_date_or_consent(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring, ("en",))
    before = look(database, token).subscriptions[0].consent
    choose(database, token, "en")
    assert look(database, token).subscriptions[0].consent == before
    assert departures(database) == []


def test_the_link_confirms_what_was_waiting(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring, ("en",), PENDING)
    choose(database, token, "en")
    assert look(database, token).confirmed == ("en",)


def test_choosing_nothing_ends_everything(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring, ("en", "be-ru"))
    assert not choose(database, token)
    with database.reading() as session:
        assert session.scalars(select(Subscriber)).all() == []
    with pytest.raises(LinkUnknown):
        look(database, token)


def test_erasing_leaves_only_counts(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring, ("en", "be-ru"))
    with database.transaction() as session:
        erase(session, token, now=MONDAY)
    with database.reading() as session:
        for table in (Subscriber, ServiceMessage):
            assert session.scalars(select(table)).all() == []
    assert departures(database) == [("be-ru", ERASED), ("en", ERASED)]


def test_a_link_that_has_acted_is_told_as_such(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring)
    with database.transaction() as session:
        reader = session.scalars(select(Subscriber)).one()
        ask_to_confirm(session, keyring, reader.id, ["en"], "en", MONDAY.date())
    for used in (False, True):
        with database.transaction() as session:
            session.execute(
                update(ServiceMessage).where(ServiceMessage.kind == CONFIRMATION).values(used=used)
            )
        with database.reading() as reading:
            messages = kept(reading, token, now=MONDAY).messages
        assert [each.used for each in messages if each.kind == CONFIRMATION] == [used]


def test_a_message_s_other_links_do_not_manage(database: Database, keyring: Keyring) -> None:
    a_link(database, keyring)
    with database.reading() as session:
        reader = session.scalars(select(Subscriber)).one()
        nonce = session.scalars(select(ServiceMessage.nonce)).one()
        for token in (
            token_of(keyring, CONFIRMATION, nonce),
            keyring.links.unsubscribe(reader.link_id, 202504, "en"),
        ):
            with pytest.raises(LinkUnknown):
                kept(session, token, now=MONDAY)
