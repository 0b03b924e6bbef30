"""A mailing is enrolled, finished and decided about once, by whoever holds its row."""

import pytest
from sqlalchemy import delete, select

from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.deliveries.ledger.completion import complete
from app.deliveries.ledger.enrolment import enrol
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.uncertain import resend, settle
from app.mailings.models import Mailing
from app.mailings.states import MoveNotAllowed
from app.operators.alerts import recent_alerts
from tests.deliveries.rows import LIFE, a_mailing, states
from tests.support.clock import MONDAY
from tests.support.meeting import meet


def state_of(database: Database) -> str:
    with database.reading() as session:
        return session.scalars(select(Mailing.state)).one()


@pytest.fixture
def doubtful(database: Database, keyring: Keyring) -> int:
    """A mailing that runs on though nothing moves: one message in doubt, the others sent."""
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 3)
        for message in session.scalars(select(Delivery)).all():
            message.state = "sent"
        message.state = "uncertain"
        return mailing.id


def completes(session: Transaction) -> int:
    return complete(session, now=MONDAY)


def test_two_senders_that_enrol_one_mailing_freeze_one_audience(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 3)
        session.execute(delete(Delivery))
        mailing.state, mailing.audience = "enrolling", None
    rows: list[int] = []

    def enrols(session: Transaction) -> None:
        rows.append(enrol(session, life=LIFE, now=MONDAY))

    assert meet(database, enrols, enrols) is None
    assert rows == [3, 0]
    assert state_of(database) == "running"


def test_two_senders_that_finish_one_mailing_tell_of_it_once(
    database: Database, doubtful: int
) -> None:
    finished: list[int] = []

    def finishes(session: Transaction) -> None:
        finished.append(completes(session))

    assert meet(database, finishes, finishes) is None
    assert finished == [1, 0]
    with database.reading() as session:
        keys = [each.key for each in recent_alerts(session)]
    assert sum(key.startswith(f"uncertain-mailing-{doubtful}") for key in keys) == 1


def test_a_resend_that_meets_the_end_of_its_mailing_reopens_it(
    database: Database, doubtful: int
) -> None:
    raised = meet(database, completes, lambda session: resend(session, doubtful, None, now=MONDAY))
    assert raised is None
    assert state_of(database) == "running"
    with database.reading() as session:
        assert states(session) == {"sent": 2, "pending": 1}


def test_a_mailing_whose_message_goes_again_at_this_moment_does_not_end(
    database: Database, doubtful: int
) -> None:
    assert (
        meet(database, lambda session: resend(session, doubtful, None, now=MONDAY), completes)
        is None
    )
    assert state_of(database) == "running"


def test_what_is_settled_at_this_moment_is_not_sent_again(
    database: Database, doubtful: int
) -> None:
    decided: list[int] = []

    def settles(session: Transaction) -> None:
        decided.append(settle(session, doubtful, None))

    def resends(session: Transaction) -> None:
        decided.append(resend(session, doubtful, None, now=MONDAY))

    raised = meet(database, settles, resends)
    assert raised is None or isinstance(raised, MoveNotAllowed)
    assert decided == [1, 0]
    with database.reading() as session:
        assert states(session) == {"sent": 3}
