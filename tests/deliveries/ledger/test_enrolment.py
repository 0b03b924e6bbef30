"""The audience is frozen once; what is asked for joins the queue once."""

import tracemalloc
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, text

from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.deliveries.ledger.claiming import claim
from app.deliveries.ledger.enrolment import (
    ALERT_LIFE,
    enrol,
    take_in_alerts,
    take_in_service_messages,
)
from app.deliveries.ledger.models import Delivery
from app.mailings.launch import launch
from app.operators.alerts import alert
from app.operators.models import Alert
from app.subscribers.models import PENDING, ServiceMessage
from app.subscribers.service_messages import send_manage_link
from tests.deliveries.rows import LIFE, a_mailing, a_sender
from tests.support.builders import NEWSLETTER, WEEK, a_subscriber, an_issue
from tests.support.clock import MONDAY

MANY = 100_000


def count(session: Transaction) -> int:
    return session.scalar(select(func.count()).select_from(Delivery)) or 0


def test_the_audience_is_who_is_confirmed_now(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, "pending@example.org", state=PENDING)
        a_subscriber(session, keyring, "other@example.org", segments=["be-ru"])
        mailing = a_mailing(session, keyring, 3)
        assert (mailing.audience, mailing.state) == (3, "running")
        a_subscriber(session, keyring, "later@example.org")
        assert enrol(session, life=LIFE, now=MONDAY) == 0
        assert count(session) == 3


def test_a_mailing_whose_readers_all_left_spends_nothing(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 0)
        assert (mailing.audience, mailing.state) == (None, "recalled")
        assert "can be launched again" in session.scalars(select(Alert.text)).one()
    with database.transaction() as session:
        a_subscriber(session, keyring)
        again, new = launch(session, WEEK, NEWSLETTER.segment("en"), by="editor", now=MONDAY)
        assert new
        assert (again.id, again.state) == (mailing.id, "enrolling")
        assert enrol(session, life=LIFE, now=MONDAY) == 1
        assert (again.audience, again.state) == (1, "running")


def test_the_numbers_of_an_issue_s_messages_follow_the_random_ids(
    database: Database, keyring: Keyring
) -> None:
    """In the order of coming, they would tell who came first."""
    with database.transaction() as session:
        if not database.is_sqlite:  # an index would give them in this order by chance
            for way in ("indexscan", "bitmapscan"):
                session.execute(text(f"SET LOCAL enable_{way} = off"))
        a_mailing(session, keyring, 40)
        found = select(Delivery.subscriber_id).order_by(Delivery.id)
        readers = [each or b"" for each in session.scalars(found)]
        assert readers == sorted(readers)


def test_enrolling_again_adds_nobody(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring)
        mailing.state = "enrolling"  # as if the transaction were run once more
        session.flush()
        enrol(session, life=LIFE, now=MONDAY)
        assert count(session) == 3


def test_a_window_spreads_the_messages_and_puts_off_their_end(
    database: Database, keyring: Keyring
) -> None:
    window = timedelta(hours=3)
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 60, over=window)
        due = session.scalars(select(Delivery.due_at).order_by(Delivery.id)).all()
        assert all(MONDAY <= at < MONDAY + window for at in due)
        assert sum(at < MONDAY + window / 2 for at in due) in range(10, 50)
        assert due != sorted(due), "the ledger's numbers tell nothing of the order"
        sender = a_sender(session)
        early = claim(session, sender, limit=100, now=MONDAY + window / 4)
        assert 0 < len(early) < 40
        assert len(early) + len(claim(session, sender, limit=100, now=MONDAY + window)) == 60
        assert {c.claim.expires_at for c in early} == {mailing.launched_at + window + LIFE}


def test_a_window_that_is_over_holds_nobody_back(database: Database, keyring: Keyring) -> None:
    window = timedelta(hours=3)
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 3, over=window)
        mailing.state = "enrolling"
        session.execute(delete(Delivery))
        enrol(session, life=LIFE, now=MONDAY + window)
        assert set(session.scalars(select(Delivery.due_at))) == {MONDAY + window}


def test_a_message_lives_as_long_as_its_mailing(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring)
        ends = session.scalars(select(Delivery.expires_at)).all()
        assert ends == [mailing.launched_at + LIFE] * 3


def test_a_service_message_is_taken_in_once(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring)
        send_manage_link(session, keyring, reader.id, "en", MONDAY)
        session.flush()
        assert [take_in_service_messages(session, now=MONDAY) for _ in range(2)] == [1, 0]


def test_the_numbers_of_service_messages_tell_nothing(database: Database, keyring: Keyring) -> None:
    """Their rows stay for days: in order, they would tell who asked first."""
    with database.transaction() as session:
        for number in range(30):
            reader = a_subscriber(session, keyring, f"reader{number}@example.org")
            send_manage_link(session, keyring, reader.id, "en", MONDAY)
            session.flush()
            assert take_in_service_messages(session, now=MONDAY) == 1
        asked = dict(
            session.execute(select(ServiceMessage.nonce, ServiceMessage.subscriber_id)).all()
        )
        numbers = list(session.scalars(select(Delivery.id)))
        assert all(2**51 <= number < 2**52 for number in numbers)
        in_order = session.scalars(select(Delivery.subscriber_id).order_by(Delivery.id)).all()
        assert list(in_order) != list(asked.values())


@pytest.mark.parametrize("gone", ["used", "expired"])
def test_a_service_message_nobody_needs_is_not(
    gone: str, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring)
        send_manage_link(session, keyring, reader.id, "en", MONDAY)
        session.flush()
        message = session.scalars(select(ServiceMessage)).one()
        message.used = gone == "used"
        session.flush()
        now = message.expires_at if gone == "expired" else MONDAY
        assert take_in_service_messages(session, now=now) == 0


def test_an_alert_is_taken_in_once_and_not_when_it_is_old(database: Database) -> None:
    with database.transaction() as session:
        alert(session, "one", "Something happened.", now=MONDAY)
        alert(session, "old", "Long ago.", now=MONDAY - ALERT_LIFE - timedelta(seconds=1))
        assert [take_in_alerts(session, now=MONDAY) for _ in range(2)] == [1, 0]


def _enlist(session: Transaction, *, sqlite: bool) -> None:
    """Let the database make up its readers; none of them will be written to."""
    numbers = "SELECT generate_series AS n FROM generate_series(1, :many)"
    blob = "uuid_send(gen_random_uuid())"
    short, long = f"substr({blob}, 1, 8)", f"{blob} || {blob} || '\\x00'::bytea"
    if sqlite:
        numbers = (
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < :many)"
            " SELECT n FROM s"
        )
        blob, short, long = "randomblob(16)", "randomblob(8)", "randomblob(33)"
    session.execute(
        text(
            "INSERT INTO subscribers (id, link_id, blind_index, sealed, admit, language, day)"
            f" SELECT {blob}, {short}, {long}, {long}, {long}, 'en', :day FROM ({numbers}) AS t"
        ),
        {"many": MANY, "day": MONDAY.date()},
    )
    session.execute(
        text(
            "INSERT INTO subscriptions (subscriber_id, segment, state, consent, requested_day)"
            " SELECT id, 'en', 'confirmed', '1', day FROM subscribers"
        )
    )


def test_a_hundred_thousand_are_enrolled_and_claimed_in_little_memory(database: Database) -> None:
    with database.transaction() as session:
        _enlist(session, sqlite=database.is_sqlite)
        an_issue(session, approved=["en"])
        launch(session, WEEK, NEWSLETTER.segment("en"), by="editor", now=MONDAY)
    tracemalloc.start()
    try:
        with database.transaction() as session:
            assert enrol(session, life=LIFE, now=MONDAY) == MANY
            sender_id = a_sender(session)
        with database.transaction() as session:
            assert len(claim(session, sender_id, limit=500, now=MONDAY)) == 500
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000  # the ids alone of all readers are more
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == MANY
