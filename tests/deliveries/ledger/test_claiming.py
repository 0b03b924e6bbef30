"""Who gets which messages: the urgent first, each running mailing its share, each message once."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, text, update

from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.deliveries.ledger.claiming import claim, claimed_still, park, take_up
from app.deliveries.ledger.enrolment import take_in_service_messages
from app.deliveries.ledger.models import Delivery
from app.issues.week import Week
from app.mailings.models import Mailing
from app.subscribers.models import CONFIRMED, Subscriber, Subscription
from app.subscribers.service_messages import send_manage_link
from tests.deliveries.rows import a_mailing, a_sender, claimed, row, states
from tests.support.builders import a_subscriber
from tests.support.clock import MONDAY

NEXT_WEEK = Week.parse("2025-W05")


def test_service_messages_go_first(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring)
        reader = a_subscriber(session, keyring)
        send_manage_link(session, keyring, reader.id, "en", MONDAY)
        session.flush()
        take_in_service_messages(session, now=MONDAY)
        first, *_ = claim(session, a_sender(session), limit=2, now=MONDAY)
        assert first.claim.kind == "manage_link"


def test_every_running_mailing_gets_its_share(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        big = a_mailing(session, keyring, 8).id
        small = a_mailing(session, keyring, 4, week=NEXT_WEEK).id
        sender_id = a_sender(session)
        claims = claim(session, sender_id, limit=6, now=MONDAY)
        assert [c.claim.mailing_id for c in claims] == [big] * 3 + [small] * 3


def test_what_one_mailing_does_not_need_goes_to_the_next(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring, 1)
        a_mailing(session, keyring, 8, week=NEXT_WEEK)
        assert len(claim(session, a_sender(session), limit=6, now=MONDAY)) == 6


@pytest.mark.parametrize("state", ["paused", "cancelled", "finished", "enrolling"])
def test_only_a_running_mailing_is_claimed(
    state: str, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring).state = state
        session.flush()
        assert claim(session, a_sender(session), limit=9, now=MONDAY) == []


def test_what_is_not_due_waits(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring)
        sender_id = a_sender(session)
        early = MONDAY - timedelta(microseconds=1)
        assert claim(session, sender_id, limit=9, now=early) == []
        assert len(claim(session, sender_id, limit=9, now=MONDAY)) == 3
        assert claim(session, sender_id, limit=9, now=MONDAY) == []


def test_the_longest_due_goes_first(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring)
        last = session.query(Delivery).order_by(Delivery.id.desc()).first()
        assert last is not None
        last.due_at, last.state = MONDAY - timedelta(hours=1), "deferred"
        session.flush()
        (only,) = claim(session, a_sender(session), limit=1, now=MONDAY)
        assert only.claim.delivery_id == last.id


def test_a_claim_is_written_down(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring)
        sender_id = a_sender(session)
        (only,) = claim(session, sender_id, limit=1, now=MONDAY)
        found = row(session, only.claim.delivery_id)
        assert (found.state, found.claimed_by, found.attempted_at) == ("claimed", sender_id, MONDAY)
        assert states(session) == {"claimed": 1, "pending": 2}


def test_what_another_sender_took_over_is_no_claim_of_ours(
    database: Database, keyring: Keyring
) -> None:
    _, sender_id, (ours, theirs, *_) = claimed(database, keyring)
    numbers = [ours.delivery_id, theirs.delivery_id]
    with database.transaction() as session:
        row(session, theirs.delivery_id).claimed_by = a_sender(session, "two")
        session.flush()
        found = claimed_still(session, sender_id, numbers)
        assert [each.claim.delivery_id for each in found] == [ours.delivery_id]


def test_what_is_taken_up_may_have_been_attempted(database: Database, keyring: Keyring) -> None:
    """Were the journal lost, it would else go a second time."""
    _, sender_id, (one, two, _) = claimed(database, keyring)
    with database.transaction() as session:
        park(session, sender_id, [one.delivery_id, two.delivery_id])
        assert row(session, one.delivery_id).attempted_at is None
        take_up(session, sender_id, [one.delivery_id], now=MONDAY)
        assert row(session, one.delivery_id).attempted_at == MONDAY
        assert row(session, two.delivery_id).attempted_at is None


def test_two_who_claim_at_once_share(database: Database, keyring: Keyring) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    with database.transaction() as session:
        a_mailing(session, keyring, 6)
        one, two = a_sender(session, "one"), a_sender(session, "two")
    with database.transaction() as first, database.transaction() as second:
        mine = {c.claim.delivery_id for c in claim(first, one, limit=3, now=MONDAY)}
        other = {c.claim.delivery_id for c in claim(second, two, limit=6, now=MONDAY)}
    assert len(mine) == len(other) == 3
    assert mine.isdisjoint(other)


def test_a_claim_finds_due_messages_by_their_index(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring)
        _fill(session.execute, mailing.id)
        _fill_subscriptions(session)
        sender_id = a_sender(session)
    if not database.is_sqlite:
        with database.engine.connect() as connection:
            connection.execute(text("ANALYZE deliveries"))
            connection.commit()
    with database.transaction() as session:
        asked: list[tuple[str, Any]] = []
        connection = session.connection()

        def listen(_conn: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
            if "deliveries.due_at <=" in statement or statement.startswith("UPDATE deliveries"):
                asked.append((statement, values))

        event.listen(connection, "before_cursor_execute", listen)
        claim(session, sender_id, limit=2, now=MONDAY)
        event.remove(connection, "before_cursor_execute", listen)
        assert len(asked) == 3  # service messages, the mailing's, and to note that they are ours
        explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
        for statement, values in asked:
            plan = str(connection.exec_driver_sql(explain + statement, values).all())
            assert "ix_deliveries_due" in plan or statement.startswith("UPDATE")
            assert "SCAN deliveries" not in plan
            assert "Seq Scan on deliveries" not in plan
            assert "TEMP B-TREE" not in plan
            assert "ix_subscriptions" not in plan  # it would read a segment for each message


def _fill(execute: Any, mailing_id: int) -> None:
    """Add many messages that were sent: only an index finds the few others among them."""
    digits = "(SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4)"
    joined = ", ".join(f"{digits} AS t{n}" for n in range(5))
    execute(
        text(
            "INSERT INTO deliveries (kind, mailing_id, state, due_at, expires_at, attempts)"
            f" SELECT 'issue', {mailing_id}, 'sent', launched_at, launched_at, 1"
            f" FROM mailings, {joined} WHERE mailings.id = {mailing_id}"
        )
    )
    execute(update(Mailing).where(Mailing.id == mailing_id).values(audience=3 + 5**5))


def _fill_subscriptions(session: Transaction) -> None:
    """Add many readers whom PostgreSQL has not counted yet, as after an import."""
    ids = [number.to_bytes(16) for number in range(3000)]
    session.execute(
        insert(Subscriber),
        [
            {
                **dict.fromkeys(("blind_index", "sealed", "admit"), one),
                "id": one,
                "link_id": one[8:],
                "language": "en",
                "day": MONDAY.date(),
            }
            for one in ids
        ],
    )
    common = {
        "segment": "en",
        "state": CONFIRMED,
        "consent": "form",
        "requested_day": MONDAY.date(),
    }
    session.execute(insert(Subscription), [{**common, "subscriber_id": one} for one in ids])
