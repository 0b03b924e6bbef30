"""What failed is listed by reason; what failed by our own fault goes again, while it may."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.deliveries.ledger.cancelling import resume_mailing
from app.deliveries.ledger.completion import aggregate, anonymise, complete
from app.deliveries.ledger.failed import (
    UnknownReason,
    list_failed,
    resend_failed,
    take_back,
    take_back_since_taken,
)
from app.deliveries.ledger.models import Delivery
from app.mailings.launch import MailingUnknown
from app.mailings.models import Mailing
from app.mailings.states import MoveNotAllowed
from app.operators.alerts import recent_alerts
from tests.deliveries.rows import LIFE, a_mailing, states
from tests.support.clock import MONDAY

LATER = MONDAY + timedelta(hours=1)


def failed(
    session: Transaction, keyring: Keyring, *reasons: str, state: str = "finished"
) -> Mailing:
    """Make a mailing one message of which was sent, and one failed for each reason."""
    mailing = a_mailing(session, keyring, len(reasons) + 1)
    sent, *others = session.scalars(select(Delivery).order_by(Delivery.id)).all()
    sent.state, sent.attempted_at = "sent", MONDAY
    for row, reason in zip(others, reasons, strict=True):
        row.state, row.reason, row.reply_code, row.reply_status = "failed", reason, 554, "5.0.0"
    mailing.state = state
    mailing.finished_at = MONDAY if state == "finished" else None
    session.flush()
    return mailing


def test_they_are_listed_by_reason(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = failed(session, keyring, "message", "message", "reader hard")
        found = list_failed(session, mailing.id, now=LATER)
        assert [(each.reason, each.ours, each.messages, each.resendable) for each in found] == [
            ("message", True, 2, 2),
            ("reader hard", False, 1, 1),
        ]
        assert (found[0].code, found[0].status) == (554, "5.0.0")


@pytest.mark.parametrize(
    ("before", "after"),
    [("finished", "running"), ("running", "running"), ("paused", "paused")],
)
def test_what_failed_by_our_own_fault_goes_again(
    before: str, after: str, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = failed(session, keyring, "message", "domain block", "reader hard", state=before)
        assert resend_failed(session, mailing.id, now=LATER) == 2
        assert (mailing.state, mailing.finished_at) == (after, None)
        assert states(session) == {"sent": 1, "pending": 2, "failed": 1}
        assert resend_failed(session, mailing.id, now=LATER) == 0


def test_one_reason_may_be_chosen_also_a_reader_s(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = failed(session, keyring, "message", "mailing block", "reader hard")
        assert resend_failed(session, mailing.id, "mailing block", now=LATER) == 1
        assert resend_failed(session, mailing.id, "reader hard", now=LATER) == 1
        assert states(session) == {"sent": 1, "pending": 2, "failed": 1}
        with pytest.raises(UnknownReason):
            resend_failed(session, mailing.id, "reader hard", now=LATER)


def test_nothing_goes_again_after_the_mailing_s_life(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = failed(session, keyring, "message")
        assert resend_failed(session, mailing.id, now=MONDAY + LIFE) == 0
        assert mailing.state == "finished"


@pytest.mark.parametrize("state", ["cancelled", "recalled"])
def test_a_mailing_that_was_taken_back_sends_nothing(
    state: str, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = failed(session, keyring, "message", state=state)
        with pytest.raises(MoveNotAllowed):
            resend_failed(session, mailing.id, now=LATER)


def test_an_unknown_mailing_has_none(database: Database) -> None:
    with database.transaction() as session:
        with pytest.raises(MailingUnknown):
            list_failed(session, 5, now=LATER)
        with pytest.raises(MailingUnknown):
            resend_failed(session, 5, now=LATER)


def test_whom_it_was_for_is_known_as_long_as_it_may_go_again(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        failed(session, keyring, "message", "reader hard")
        assert anonymise(session, now=LATER) == 2, "the sent one and the dead reader's"
        known = session.scalars(select(Delivery.reason).where(Delivery.subscriber_id.is_not(None)))
        assert known.all() == ["message"]
        assert anonymise(session, now=MONDAY + LIFE) == 1


def test_counts_are_listed_after_the_retention(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = failed(session, keyring, "message", "reader hard")
        later = MONDAY + timedelta(days=40)
        aggregate(session, timedelta(days=30), now=later)
        session.flush()
        found = list_failed(session, mailing.id, now=later)
        assert {(each.reason, each.messages, each.resendable) for each in found} == {
            ("message", 1, 0),
            ("reader hard", 1, 0),
        }


def test_only_what_failed_is_taken_back(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        failed(session, keyring, "message", state="running")
        ids = session.scalars(select(Delivery.id)).all()
        assert take_back(session, ids, now=LATER) == 1
        assert take_back(session, [], now=LATER) == 0
        assert states(session) == {"sent": 1, "pending": 1}


@pytest.mark.parametrize("reason", ["message", "reader soft"])
def test_a_mailing_of_which_nothing_was_taken_does_not_end_so(
    reason: str, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = failed(session, keyring, reason, "reader hard", state="running")
        session.execute(update(Delivery).where(Delivery.state == "sent").values(state="excluded"))
        assert complete(session, now=LATER) == 0
        session.flush()
        assert mailing.state == "paused"
        assert states(session) == {"excluded": 1, "pending": 1, "failed": 1}
        assert len(recent_alerts(session)) == 1


def test_three_hard_refusals_and_nothing_taken_are_no_coincidence(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = failed(session, keyring, *["reader hard"] * 3, state="running")
        session.execute(update(Delivery).where(Delivery.state == "sent").values(state="excluded"))
        assert complete(session, now=LATER) == 0
        assert mailing.state == "paused"
        assert states(session) == {"excluded": 1, "pending": 3}


def test_what_failed_since_a_message_was_taken_is_taken_back(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = failed(session, keyring, "message", "message", "reader hard", state="running")
        sent, early, late, dead = session.scalars(select(Delivery).order_by(Delivery.id)).all()
        sent.attempted_at = MONDAY
        early.attempted_at = MONDAY - timedelta(seconds=1)
        late.attempted_at = dead.attempted_at = LATER
        session.flush()
        assert take_back_since_taken(session, mailing.id, now=LATER) == 1
        session.expire_all()
        assert [row.state for row in (early, late, dead)] == ["failed", "pending", "failed"]


def test_a_mailing_whose_only_reader_is_gone_ends(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = failed(session, keyring, "reader hard", state="running")
        session.execute(update(Delivery).where(Delivery.state == "sent").values(state="excluded"))
        assert complete(session, now=LATER) == 1
        assert mailing.state == "finished"


def test_operators_are_told_at_the_end_of_what_failed_by_our_fault(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        failed(session, keyring, "message", state="running")
        assert complete(session, now=LATER) == 1
        (told,) = recent_alerts(session)
        assert "vestka mailing failed" in told.text


def test_resuming_makes_due_what_our_own_fault_holds_up(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 3)
        ours, domain, reader = session.scalars(select(Delivery).order_by(Delivery.id)).all()
        much_later = LATER + timedelta(hours=1)
        for row, state, reason in (
            (ours, "pending", "relay"),
            (domain, "deferred", "domain block"),
            (reader, "deferred", "reader soft"),
        ):
            row.state, row.reason, row.due_at = state, reason, much_later
        session.flush()
        resume_mailing(session, mailing.id, life=LIFE, now=LATER)
        session.expire_all()
        assert [row.due_at for row in (ours, domain, reader)] == [LATER, LATER, much_later]
