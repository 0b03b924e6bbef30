"""What a reader does meets what the same reader does elsewhere, and what the sender does."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.subscribers import confirmation
from app.subscribers.admission import admit
from app.subscribers.confirmation import confirm
from app.subscribers.expiry import expire
from app.subscribers.models import (
    CONFIRMED,
    PENDING,
    ServiceMessage,
    Subscriber,
    Subscription,
    UnsubscribeCount,
)
from app.subscribers.preferences import change, erase
from app.subscribers.service_message_kinds import CONFIRMATION, MANAGE_LINK
from app.subscribers.service_messages import ask_to_confirm, send_manage_link, token_of
from app.subscribers.unsubscription import Leaving, unsubscribe
from app.tokens import LinkUnknown
from tests.subscribers.test_admission import let_in, sign_up
from tests.subscribers.test_preferences import a_link
from tests.support.builders import NEWSLETTER, a_subscriber
from tests.support.clock import MONDAY
from tests.support.meeting import in_one, meet, meet_within

TODAY = MONDAY.date()
LATER = MONDAY + timedelta(days=3)


def held(database: Database) -> dict[str, str]:
    with database.reading() as session:
        rows = session.execute(select(Subscription.segment, Subscription.state))
        return {row.segment: row.state for row in rows}


def departures(database: Database) -> dict[tuple[str, str], int]:
    with database.reading() as session:
        rows = session.scalars(select(UnsubscribeCount))
        return {(each.segment, each.reason): each.count for each in rows}


def leaving_by(database: Database) -> Leaving:
    """The only reader's link out of the English list."""
    with database.reading() as session:
        link_id = session.scalars(select(Subscriber.link_id)).one()
    return Leaving(link_id, NEWSLETTER.segment("en"), "en")


def token(database: Database, keyring: Keyring, kind: str) -> str:
    """The only link of this kind that was mailed."""
    with database.reading() as session:
        nonce = session.scalars(
            select(ServiceMessage.nonce).where(ServiceMessage.kind == kind)
        ).one()
    return token_of(keyring, kind, nonce)


def with_a_pending_segment(session: Transaction, keyring: Keyring) -> Subscriber:
    """A reader of English who asked for be-ru, too."""
    reader = a_subscriber(session, keyring)
    session.add(
        Subscription(
            subscriber_id=reader.id,
            segment="be-ru",
            state=PENDING,
            consent="1",
            requested_day=TODAY,
        )
    )
    session.flush()
    return reader


def link_of_the_first_sign_up(database: Database, keyring: Keyring) -> str:
    """Sign somebody up, and once more, which is not admitted yet; return the link they have."""
    sign_up(database, keyring)
    let_in(database, keyring, now=MONDAY - timedelta(days=1))
    link = token(database, keyring, CONFIRMATION)
    sign_up(database, keyring)
    return link


def save(link: str, *segments: str, language: str = "en") -> Callable[[Transaction], bool]:
    return lambda session: change(
        session, link, segments=segments, language=language, consent="1", now=MONDAY
    )


def test_what_is_confirmed_at_this_moment_does_not_expire(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        reader = with_a_pending_segment(session, keyring)
        send_manage_link(session, keyring, reader.id, "en", MONDAY)
    link = token(database, keyring, MANAGE_LINK)
    raised = meet(database, save(link, "en", "be-ru"), lambda session: expire(session, now=LATER))
    assert raised is None
    assert held(database) == {"en": CONFIRMED, "be-ru": CONFIRMED}


def test_two_senders_that_let_a_request_expire_count_it_once(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, state=PENDING)

    def both(session: Transaction) -> None:
        expire(session, now=LATER)

    assert meet(database, both, both) is None
    assert departures(database) == {("en", "never confirmed"): 1}


def test_who_drops_one_segment_here_and_the_other_there_is_gone(
    database: Database, keyring: Keyring
) -> None:
    link = a_link(database, keyring, ("en", "be-ru"))
    leaving = leaving_by(database)
    meet(database, save(link, "en"), lambda session: unsubscribe(session, leaving, today=TODAY))
    assert held(database) == {}
    with database.reading() as session:
        assert session.scalars(select(Subscriber)).all() == []


def test_a_save_that_is_clicked_twice_is_saved(
    database: Database, keyring: Keyring, readers: TestClient
) -> None:
    link, answers = a_link(database, keyring), []
    sent = {"action": "save", "segments": ["en", "be-ru"], "language": "en"}

    def again(_session: Transaction) -> None:
        answers.append(readers.post(f"/manage/{link}", data=sent).status_code)

    assert meet(database, save(link, "en", "be-ru"), again) is None
    assert answers == [200]
    assert held(database) == {"en": CONFIRMED, "be-ru": CONFIRMED}


def test_a_save_beside_the_last_unsubscription_finds_no_link(
    database: Database, keyring: Keyring, readers: TestClient
) -> None:
    link, answers = a_link(database, keyring), []
    leaving = leaving_by(database)
    sent = {"action": "save", "segments": ["en"], "language": "ru"}

    def saves(_session: Transaction) -> None:
        answers.append(readers.post(f"/manage/{link}", data=sent).status_code)

    raised = meet(database, lambda session: unsubscribe(session, leaving, today=TODAY), saves)
    assert raised is None
    assert answers == [404]


def test_an_erasure_that_is_clicked_twice_is_counted_once(
    database: Database, keyring: Keyring
) -> None:
    link = a_link(database, keyring)

    def both(session: Transaction) -> None:
        erase(session, link, now=MONDAY)

    raised = meet(database, both, both)
    assert isinstance(raised, LinkUnknown)
    assert departures(database) == {("en", "erased"): 1}


def test_leaving_and_confirming_do_not_wait_in_a_circle(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as session:
        reader = with_a_pending_segment(session, keyring)
        ask_to_confirm(session, keyring, reader.id, ["be-ru"], "en", TODAY)
    link, leaving = token(database, keyring, CONFIRMATION), leaving_by(database)

    def leave(session: Transaction) -> None:
        unsubscribe(session, leaving, today=TODAY, everything=True)

    raised = meet_within(
        database,
        monkeypatch,
        (confirmation, "_changed"),  # the message is marked as used
        lambda session: confirm(session, link, now=MONDAY),
        lambda: in_one(database, leave),
    )
    assert raised == []
    assert held(database) == {}


def test_who_confirms_while_their_second_sign_up_is_admitted_stays_confirmed(
    database: Database, keyring: Keyring
) -> None:
    link = link_of_the_first_sign_up(database, keyring)
    meet(
        database,
        lambda session: confirm(session, link, now=MONDAY),
        lambda session: admit(session, keyring, rates=(), now=MONDAY),
    )
    assert held(database) == {"en": CONFIRMED}


def test_a_link_that_is_replaced_at_this_moment_does_not_say_that_it_was_used(
    database: Database, keyring: Keyring
) -> None:
    link = link_of_the_first_sign_up(database, keyring)
    raised = meet(
        database,
        lambda session: admit(session, keyring, rates=(), now=MONDAY),
        lambda session: confirm(session, link, now=MONDAY),
    )
    assert held(database) == {"en": PENDING}
    assert isinstance(raised, LinkUnknown)
