"""Cancelled by mistake: whoever has nothing yet gets it after a resume, and nobody twice."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.addresses.keyring import Keyring
from app.database import Database
from app.deliveries.ledger.cancelling import NobodyLeft, cancel_mailing, resume_mailing
from app.deliveries.ledger.claiming import claim
from app.deliveries.ledger.completion import anonymise, complete
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.progress import as_record
from app.deliveries.ledger.recording import end
from app.mailings.launch import find_mailing, launch
from tests.deliveries.rows import LIFE, a_mailing, a_sender, states
from tests.support.builders import NEWSLETTER, WEEK, an_issue
from tests.support.clock import MONDAY

LATER = MONDAY + timedelta(hours=5)


def test_only_whom_the_cancelling_excluded_is_taken_up(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 6)
        for number, state in enumerate(("sent", "failed", "uncertain", "excluded", "deferred"), 1):
            reason = "unsubscribed" if state == "excluded" else None
            session.execute(
                update(Delivery).where(Delivery.id == number).values(state=state, reason=reason)
            )
        cancel_mailing(session, mailing.id, now=MONDAY)
        assert as_record(session, mailing, now=MONDAY)["excluded"] == {
            "cancelled": 2,
            "unsubscribed": 1,
        }
    with database.transaction() as session:
        anonymise(session, now=LATER)
    with database.transaction() as session:
        mailing = resume_mailing(session, mailing.id, life=LIFE, now=LATER)
        assert (mailing.state, mailing.finished_at) == ("running", None)
        assert states(session) == {
            "sent": 1,
            "failed": 1,
            "uncertain": 1,
            "excluded": 1,
            "pending": 2,
        }
        sender = a_sender(session)
        taken = claim(session, sender, limit=9, now=LATER)
        assert sorted(each.claim.delivery_id for each in taken) == [5, 6]
        assert all(each.reader is not None for each in taken), "their ids were kept"


def test_when_its_life_is_over_it_stays_cancelled_and_forgets(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 2)
        cancel_mailing(session, mailing.id, now=MONDAY)
    for now, kept in ((MONDAY + LIFE - timedelta(seconds=1), 2), (MONDAY + LIFE, 0)):
        with database.transaction() as session:
            anonymise(session, now=now)
            ids = session.scalars(select(Delivery.subscriber_id)).all()
            assert sum(each is not None for each in ids) == kept
    with database.transaction() as session:
        with pytest.raises(NobodyLeft, match="vestka issue correct 2025-W04"):
            resume_mailing(session, mailing.id, life=LIFE, now=MONDAY + LIFE)
        assert find_mailing(session, mailing.id).state == "cancelled"


def test_if_all_have_it_there_is_nothing_to_resume(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 2)
        session.execute(update(Delivery).values(state="sent", attempts=1))
        cancel_mailing(session, mailing.id, now=MONDAY)
        with pytest.raises(NobodyLeft):
            resume_mailing(session, mailing.id, life=LIFE, now=LATER)


@pytest.mark.parametrize(("hours", "resumed"), [(1, "resumed"), (48, "")])
def test_one_cancelled_before_its_audience_was_frozen(
    hours: int,
    resumed: str,
    database: Database,
    keyring: Keyring,
) -> None:
    now = MONDAY + timedelta(hours=hours)
    with database.transaction() as session:
        an_issue(session, approved=["en"])
        mailing, _ = launch(session, WEEK, NEWSLETTER.segment("en"), by="editor", now=MONDAY)
        cancel_mailing(session, mailing.id, now=MONDAY)
        if resumed:
            assert resume_mailing(session, mailing.id, life=LIFE, now=now).state == "enrolling"
        else:
            with pytest.raises(NobodyLeft):
                resume_mailing(session, mailing.id, life=LIFE, now=now)


def test_what_a_sender_excluded_that_had_not_heard_of_the_resume_is_taken_up(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 2)
        sender = a_sender(session)
        ids = [each.claim.delivery_id for each in claim(session, sender, limit=2, now=MONDAY)]
        cancel_mailing(session, mailing.id, now=MONDAY)
        resume_mailing(session, mailing.id, life=LIFE, now=MONDAY)
        end(session, sender, {("excluded", "cancelled"): ids})
    with database.transaction() as session:
        assert complete(session, now=MONDAY) == 0
        assert states(session) == {"pending": 2}
