"""Leaving: what the link names ends, the last subscription ends the reader, only counts stay."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from app.addresses.keyring import Keyring
from app.database import Database
from app.subscribers.models import ServiceMessage, Subscriber, Subscription, UnsubscribeCount
from app.subscribers.service_messages import ask_to_confirm
from app.subscribers.unsubscription import UNSUBSCRIBED, leaving, unsubscribe
from app.tokens import LinkUnknown
from tests.support.builders import NEWSLETTER, WEEK, a_subscriber
from tests.support.clock import MONDAY

TODAY = MONDAY.date()


def a_link(
    database: Database, keyring: Keyring, segments: tuple[str, ...] = ("en",), segment: str = "en"
) -> str:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring, segments=segments, language="ru")
        return keyring.links.unsubscribe(reader.link_id, WEEK.number, segment)


def leave(database: Database, keyring: Keyring, token: str, *, everything: bool = False) -> None:
    facts = leaving(keyring.links, NEWSLETTER, token)
    with database.transaction() as session:
        unsubscribe(session, facts, today=TODAY, everything=everything)


def left(database: Database) -> list[tuple[str, int]]:
    with database.reading() as session:
        rows = session.scalars(select(UnsubscribeCount))
        assert {row.reason for row in rows} <= {UNSUBSCRIBED}
        return sorted((row.segment, row.count) for row in session.scalars(select(UnsubscribeCount)))


def held(database: Database) -> list[str]:
    with database.reading() as session:
        return sorted(session.scalars(select(Subscription.segment)))


def test_the_link_ends_its_segment(database: Database, keyring: Keyring) -> None:
    leave(database, keyring, a_link(database, keyring, ("en", "be-ru"), "be-ru"))
    assert held(database) == ["en"]
    assert left(database) == [("be-ru", 1)]


def test_everything_ends_all(database: Database, keyring: Keyring) -> None:
    leave(database, keyring, a_link(database, keyring, ("en", "be-ru")), everything=True)
    assert held(database) == []
    assert left(database) == [("be-ru", 1), ("en", 1)]


def test_the_last_subscription_ends_the_reader(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring)
    with database.transaction() as session:
        reader = session.scalars(select(Subscriber.id)).one()
        ask_to_confirm(session, keyring, reader, ["be-ru"], "be", TODAY)
    leave(database, keyring, token)
    with database.reading() as session:
        assert session.scalars(select(Subscriber)).all() == []
        assert session.scalars(select(ServiceMessage)).all() == []


def test_leaving_twice_counts_once(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring)
    leave(database, keyring, token)
    leave(database, keyring, token)
    assert left(database) == [("en", 1)]


def test_clicks_at_once_count_once(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring, ("en", "be-ru"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: leave(database, keyring, token), range(4)))
    assert left(database) == [("en", 1)]
    assert held(database) == ["be-ru"]


def test_departures_of_a_day_add_up(database: Database, keyring: Keyring) -> None:
    for name in ("ann", "bob", "eve"):
        with database.transaction() as session:
            reader = a_subscriber(session, keyring, f"{name}@example.org")
        leave(database, keyring, keyring.links.unsubscribe(reader.link_id, WEEK.number, "en"))
    assert left(database) == [("en", 3)]


def test_a_link_for_what_is_not_held_ends_nothing(database: Database, keyring: Keyring) -> None:
    leave(database, keyring, a_link(database, keyring, ("en",), "be-ru"))
    assert held(database) == ["en"]
    assert left(database) == []


@pytest.mark.parametrize("language", NEWSLETTER.languages)
@pytest.mark.parametrize("segment", ["en", "be-ru"])
def test_the_link_itself_says_how_to_speak(keyring: Keyring, segment: str, language: str) -> None:
    """Also when its reader is gone, or the page would tell that they are."""
    number = NEWSLETTER.number_of(language)
    token = keyring.links.unsubscribe(bytes(8), WEEK.number, segment, number)
    assert leaving(keyring.links, NEWSLETTER, token).language == language


def test_a_link_that_says_nothing_speaks_as_its_segment_does(keyring: Keyring) -> None:
    for number in (0, 15):
        token = keyring.links.unsubscribe(bytes(8), WEEK.number, "be-ru", number)
        assert leaving(keyring.links, NEWSLETTER, token).language == "be"


def test_a_segment_that_is_no_more_has_no_link(keyring: Keyring) -> None:
    token = keyring.links.unsubscribe(bytes(8), WEEK.number, "of-yesterday")
    with pytest.raises(LinkUnknown):
        leaving(keyring.links, NEWSLETTER, token)
