"""Messages that readers ask for: few, each with a link that only the sender can make."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.addresses.keyring import Keyring
from app.database import Database
from app.subscribers.models import ServiceMessage
from app.subscribers.service_message_kinds import CONFIRMATION, MANAGE_LINK
from app.subscribers.service_messages import (
    CONFIRMATION_DAYS,
    MANAGE_LIFE,
    ask_to_confirm,
    forget_expired,
    midnight_after,
    say_already_subscribed,
    send_manage_link,
    token_of,
)
from app.tokens import fingerprint, new_id
from tests.support.builders import a_subscriber
from tests.support.clock import MONDAY

TODAY = MONDAY.date()


@given(st.datetimes(timezones=st.just(UTC), max_value=datetime(9000, 1, 1)))  # noqa: DTZ001
def test_a_confirmation_lives_between_48_and_72_hours(asked: datetime) -> None:
    life = midnight_after(asked.date(), CONFIRMATION_DAYS) - asked
    assert timedelta(hours=48) < life <= timedelta(hours=72)


def test_the_row_tells_no_more_than_the_day() -> None:
    assert midnight_after(date(2026, 12, 30), 3) == datetime(2027, 1, 2, tzinfo=UTC)


def test_a_link_serves_one_purpose(keyring: Keyring) -> None:
    nonce = new_id()
    confirm, manage = (token_of(keyring, kind, nonce) for kind in (CONFIRMATION, MANAGE_LINK))
    assert confirm == token_of(keyring, CONFIRMATION, nonce)
    assert confirm != manage
    assert fingerprint(CONFIRMATION, confirm) != fingerprint(MANAGE_LINK, confirm)


def test_the_same_is_asked_once_a_day(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring).id
        assert ask_to_confirm(session, keyring, reader, ["en"], "en", TODAY)
        session.flush()
        assert not ask_to_confirm(session, keyring, reader, ["en"], "en", TODAY)
        assert ask_to_confirm(session, keyring, reader, ["en"], "en", TODAY + timedelta(days=1))
        session.flush()
        assert len(session.scalars(select(ServiceMessage)).all()) == 1


def test_a_part_of_what_was_asked_is_not_asked_again(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring).id
        assert ask_to_confirm(session, keyring, reader, ["en", "be-ru"], "en", TODAY)
        session.flush()
        assert not ask_to_confirm(session, keyring, reader, ["be-ru"], "be", TODAY)


def test_readers_do_not_stand_in_each_other_s_way(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        for address in ("ann@example.org", "bob@example.org"):
            reader = a_subscriber(session, keyring, address).id
            assert ask_to_confirm(session, keyring, reader, ["en"], "en", TODAY)
            assert send_manage_link(session, keyring, reader, "en", MONDAY)
            session.flush()


def test_a_manage_link_is_mailed_once_in_its_life(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring).id
        assert send_manage_link(session, keyring, reader, "en", MONDAY)
        session.flush()
        almost = MONDAY + MANAGE_LIFE - timedelta(seconds=1)
        assert not send_manage_link(session, keyring, reader, "en", almost)
        assert send_manage_link(session, keyring, reader, "en", MONDAY + MANAGE_LIFE)


def test_a_notice_carries_no_link(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        say_already_subscribed(session, a_subscriber(session, keyring).id, "en", MONDAY)
        session.flush()
        assert session.scalars(select(ServiceMessage.fingerprint)).one() is None


def test_what_has_expired_is_forgotten(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring).id
        ask_to_confirm(session, keyring, reader, ["en"], "en", TODAY)
        session.flush()
        ends = midnight_after(TODAY, CONFIRMATION_DAYS)
        forget_expired(session, ends - timedelta(seconds=1))
        assert len(session.scalars(select(ServiceMessage)).all()) == 1
        forget_expired(session, ends)
        assert session.scalars(select(ServiceMessage)).all() == []
