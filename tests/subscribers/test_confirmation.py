"""The confirmation link through time: it works until its last day ends, and acts once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.addresses.keyring import Keyring
from app.database import Database
from app.subscribers.confirmation import asked, confirm
from app.subscribers.models import CONFIRMED, PENDING, ServiceMessage, Subscriber, Subscription
from app.subscribers.service_message_kinds import CONFIRMATION, MANAGE_LINK
from app.subscribers.service_messages import ask_to_confirm, token_of
from app.subscribers.unsubscription import ERASED, end
from app.tokens import LinkUnknown, derive_token
from tests.support.builders import a_subscriber

ASKED = datetime(2025, 1, 27, 0, 0, tzinfo=UTC)
LAST = datetime(2025, 1, 29, 23, 59, 59, tzinfo=UTC)


def a_link(
    database: Database, keyring: Keyring, segments: tuple[str, ...] = ("en",), language: str = "en"
) -> str:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring, segments=segments, state=PENDING, now=ASKED).id
        ask_to_confirm(session, keyring, reader, segments, language, ASKED.date())
        session.flush()
        nonce = session.scalars(select(ServiceMessage.nonce)).one()
    return token_of(keyring, CONFIRMATION, nonce)


def states(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(Subscription.state)))


def test_looking_changes_nothing(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring, ("en", "be-ru"), "be")
    with database.reading() as session:
        facts = asked(session, token, now=ASKED)
    assert (facts.segments, facts.language, facts.done) == (("en", "be-ru"), "be", False)
    assert states(database) == {PENDING}


def test_a_link_confirms_what_it_asks(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring, ("en", "be-ru"), "ru")
    with database.transaction() as session:
        assert not confirm(session, token, now=ASKED).done
    assert states(database) == {CONFIRMED}
    with database.reading() as session:
        assert session.scalars(select(Subscriber.language)).one() == "ru"
        assert set(session.scalars(select(Subscription.confirmed_day))) == {ASKED.date()}


def test_a_used_link_says_so_until_it_expires(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring)
    with database.transaction() as session:
        confirm(session, token, now=ASKED)
    with database.transaction() as session:
        assert confirm(session, token, now=LAST).done
        assert asked(session, token, now=LAST).done
        with pytest.raises(LinkUnknown):
            asked(session, token, now=LAST + timedelta(seconds=1))


def test_a_link_works_on_its_last_day(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring)
    with database.transaction() as session:
        assert not confirm(session, token, now=LAST).done


def test_a_link_is_dead_after_72_hours(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring)
    late = ASKED + timedelta(hours=72, seconds=1)
    with database.transaction() as session:
        with pytest.raises(LinkUnknown):
            asked(session, token, now=late)
        with pytest.raises(LinkUnknown):
            confirm(session, token, now=late)
    assert states(database) == {PENDING}


def test_two_clicks_at_once_confirm_once(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring)

    def click(_: int) -> bool:
        with database.transaction() as session:
            return confirm(session, token, now=ASKED).done

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(click, range(4))) == [False, True, True, True]


def test_who_has_left_is_not_brought_back(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring)
    with database.transaction() as session:
        reader = session.scalars(select(Subscriber.id)).one()
        end(session, reader, None, ERASED, today=ASKED.date())
    with database.transaction() as session, pytest.raises(LinkUnknown):
        confirm(session, token, now=ASKED)
    assert states(database) == set()


def test_other_tokens_do_not_confirm(database: Database, keyring: Keyring) -> None:
    token = a_link(database, keyring)
    with database.reading() as session:
        nonce = session.scalars(select(ServiceMessage.nonce)).one()
    others = [
        token_of(keyring, MANAGE_LINK, nonce),
        derive_token(bytes(32), CONFIRMATION, nonce),
        token[:-1],
        token + "=",
        token.swapcase(),
        "",
        "ё" * 43,
    ]
    with database.transaction() as session:
        for other in others:
            with pytest.raises(LinkUnknown):
                confirm(session, other, now=ASKED)
    assert states(database) == {PENDING}
