"""Messages in doubt: held until an operator decides, and decided once."""

import pytest
from sqlalchemy import select

from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.uncertain import list_uncertain, resend, settle
from app.mailings.launch import MailingUnknown
from app.mailings.models import Mailing
from app.mailings.states import MoveNotAllowed
from tests.deliveries.rows import a_mailing, states
from tests.support.clock import MONDAY


def _in_doubt(session: Transaction, keyring: Keyring) -> tuple[Mailing, list[int]]:
    """Make a finished mailing of three, two of them in doubt."""
    mailing = a_mailing(session, keyring, 3)
    sent, *doubtful = session.scalars(select(Delivery).order_by(Delivery.id)).all()
    sent.state = "sent"
    for message in doubtful:
        message.state = "uncertain"
    mailing.state, mailing.finished_at = "finished", MONDAY
    session.flush()
    return mailing, [message.id for message in doubtful]


def test_doubts_are_listed(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing, numbers = _in_doubt(session, keyring)
        assert [row.id for row in list_uncertain(session, mailing.id)] == numbers


def test_sending_again_reopens_the_mailing(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing, numbers = _in_doubt(session, keyring)
        assert resend(session, mailing.id, numbers[:1], now=MONDAY) == 1
        assert (mailing.state, mailing.finished_at) == ("running", None)
        assert states(session) == {"sent": 1, "pending": 1, "uncertain": 1}
        assert resend(session, mailing.id, numbers[:1], now=MONDAY) == 0
        assert resend(session, mailing.id, None, now=MONDAY) == 1


def test_settling_counts_as_sent(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing, _ = _in_doubt(session, keyring)
        assert settle(session, mailing.id, None) == 2
        assert mailing.state == "finished"
        assert states(session) == {"sent": 3}
        assert list_uncertain(session, mailing.id) == []


def test_only_messages_in_doubt_are_decided(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing, numbers = _in_doubt(session, keyring)
        others = [n for n in session.scalars(select(Delivery.id)) if n not in numbers]
        assert resend(session, mailing.id, others, now=MONDAY) == 0
        assert settle(session, mailing.id, [*others, 10**9]) == 0


@pytest.mark.parametrize("state", ["cancelled", "paused"])
def test_a_mailing_that_does_not_run_sends_nothing_again(
    state: str, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing, _ = _in_doubt(session, keyring)
        mailing.state = state
        session.flush()
        with pytest.raises(MoveNotAllowed):
            resend(session, mailing.id, None, now=MONDAY)


def test_an_unknown_mailing_has_no_doubts(database: Database) -> None:
    with database.transaction() as session:
        for decide in (
            lambda: list_uncertain(session, 5),
            lambda: resend(session, 5, None, now=MONDAY),
            lambda: settle(session, 5, None),
        ):
            with pytest.raises(MailingUnknown):
                decide()
