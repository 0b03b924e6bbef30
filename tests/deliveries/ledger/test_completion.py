"""A mailing ends when nothing moves any more; then it is forgotten, and the books still balance."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.deliveries.ledger.cancelling import exclude_rest
from app.deliveries.ledger.completion import aggregate, anonymise, complete, forget_service_messages
from app.deliveries.ledger.enrolment import take_in_service_messages
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.progress import as_record, balance, unbalanced
from app.deliveries.ledger.states import OPEN, STATES
from app.deliveries.ledger.uncertain import resend
from app.mailings.models import Mailing
from app.operators.alerts import recent_alerts
from app.subscribers.service_messages import ask_to_confirm, send_manage_link
from tests.deliveries.rows import a_mailing, row, states
from tests.support.builders import a_subscriber
from tests.support.clock import MONDAY

RETENTION = timedelta(days=30)


def _each_in_a_state(session: Transaction, keyring: Keyring) -> Mailing:
    """Make a mailing with one message in each state."""
    mailing = a_mailing(session, keyring, len(STATES))
    messages = session.scalars(select(Delivery).order_by(Delivery.id)).all()
    for message, state in zip(messages, STATES, strict=True):
        message.state = state
        message.reason = "unsubscribed" if state == "excluded" else None
    session.flush()
    return mailing


@pytest.mark.parametrize("state", STATES)
def test_a_mailing_ends_when_nothing_can_move(
    state: str, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 1)
        session.execute(update(Delivery).values(state=state))
        assert complete(session, now=MONDAY) == (0 if state in OPEN else 1)
        assert mailing.state == ("running" if state in OPEN else "finished")
        assert len(recent_alerts(session)) == (1 if state == "uncertain" else 0)


def test_cancelling_excludes_who_has_not_got_it(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = _each_in_a_state(session, keyring)
        assert exclude_rest(session, mailing.id, "cancelled") == 2
        books = balance(session, mailing)
        assert books.balances
        assert books.excluded == {"cancelled": 2, "unsubscribed": 1}
        assert books.states["claimed"] == 1  # its sender looks at it once more


@pytest.mark.parametrize("state", ["finished", "cancelled"])
def test_an_ended_mailing_forgets_whom_it_was_for(
    state: str, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = _each_in_a_state(session, keyring)
        assert anonymise(session, now=MONDAY) == 0
        mailing.state = state
        session.flush()
        assert anonymise(session, now=MONDAY) == 3
        assert anonymise(session, now=MONDAY) == 0
        known = session.scalars(select(Delivery.state).where(Delivery.subscriber_id.is_not(None)))
        assert set(known) == {*OPEN, "uncertain"}  # they may have to go again
        assert balance(session, mailing).balances


def test_folding_keeps_the_balance(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = _each_in_a_state(session, keyring)
        mailing.state, mailing.finished_at = "finished", MONDAY
        session.flush()
        before = as_record(session, mailing, now=MONDAY)
        assert aggregate(session, RETENTION, now=MONDAY + RETENTION) == 0
        assert aggregate(session, RETENTION, now=MONDAY + RETENTION + timedelta(seconds=1)) == 1
        session.flush()
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0
        assert as_record(session, mailing, now=MONDAY) == before
        assert unbalanced(session) == []
        assert aggregate(session, RETENTION, now=MONDAY + 2 * RETENTION) == 0


def test_what_an_operator_decides_about_is_not_folded_meanwhile(
    database: Database, keyring: Keyring
) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    with database.transaction() as session:
        mailing = _each_in_a_state(session, keyring)
        mailing.state, mailing.finished_at = "finished", MONDAY
    later = MONDAY + 2 * RETENTION
    with database.transaction() as deciding, database.transaction() as folding:
        assert resend(deciding, mailing.id, None, now=later) == 1
        assert aggregate(folding, RETENTION, now=later) == 0
    with database.transaction() as session:
        assert aggregate(session, RETENTION, now=later) == 0, "it runs again"
        assert states(session)["pending"] == 2


def test_the_balance_counts_every_state(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = _each_in_a_state(session, keyring)
        found = as_record(session, mailing, now=MONDAY)
        assert {state: found[state] for state in STATES if state != "excluded"} == dict.fromkeys(
            set(STATES) - {"excluded"}, 1
        )
        assert (found["audience"], found["excluded"]) == (7, {"unsubscribed": 1})


def test_a_missing_row_is_seen(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring)
        assert unbalanced(session) == []
        session.delete(session.scalars(select(Delivery)).first())
        session.flush()
        assert unbalanced(session) == [mailing.id]


@pytest.mark.parametrize(("state", "left"), [("sent", 0), ("excluded", 0), ("deferred", 1)])
def test_a_service_message_that_is_over_is_forgotten_when_its_link_expires(
    state: str, left: int, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring)
        send_manage_link(session, keyring, reader.id, "en", MONDAY)
        session.flush()
        take_in_service_messages(session, now=MONDAY)
        session.execute(update(Delivery).values(state=state))
        assert forget_service_messages(session, now=MONDAY) == 0
        forget_service_messages(session, now=MONDAY + timedelta(hours=1))
        assert states(session).total() == left


@pytest.mark.parametrize("state", STATES)
def test_when_a_service_message_went_is_forgotten_at_once(
    state: str, database: Database, keyring: Keyring
) -> None:
    forgotten = state not in (*OPEN, "uncertain")
    with database.transaction() as session:
        reader = a_subscriber(session, keyring)
        ask_to_confirm(session, keyring, reader.id, ["en"], "en", MONDAY.date())
        session.flush()
        take_in_service_messages(session, now=MONDAY)
        session.execute(update(Delivery).values(state=state, attempted_at=MONDAY))
        forget_service_messages(session, now=MONDAY)
        (message,) = session.scalars(select(Delivery)).all()
        assert (message.attempted_at is None) == forgotten
        assert (message.due_at == message.expires_at) == forgotten
        assert take_in_service_messages(session, now=MONDAY) == 0, "it does not go again"


def test_a_mailing_s_messages_are_not_forgotten_with_them(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring, 1)
        session.execute(update(Delivery).values(state="sent"))
        assert forget_service_messages(session, now=MONDAY + timedelta(days=999)) == 0
        assert row(session, session.scalars(select(Delivery.id)).one()).state == "sent"
