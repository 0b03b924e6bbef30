"""Recalls, revisions, withdrawals and launches meet senders and each other."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.deliveries.ledger.cancelling import cancel_mailing, resume_mailing
from app.deliveries.ledger.claiming import claim
from app.deliveries.ledger.completion import complete
from app.deliveries.ledger.models import Delivery
from app.deliveries.recalling import MessagesClaimed, recall
from app.deliveries.revising import revise
from app.editions.freezing import EditionContext, freeze
from app.issues.approval import NotApproved, approve, approved_segments
from app.issues.content import IssueContent
from app.mailings.control import pause
from app.mailings.launch import launch
from app.mailings.models import Mailing
from app.mailings.withdrawal import AlreadySent, withdraw
from tests.deliveries.rows import LIFE, a_mailing, a_sender, states
from tests.support.builders import NEWSLETTER, PUBLIC_URL, WEEK, a_document
from tests.support.clock import MONDAY
from tests.support.meeting import in_one, meet

Act = Callable[[Transaction], object]

EN = NEWSLETTER.segment("en")
BETTER = IssueContent.model_validate(a_document(said="Better"))


@pytest.fixture
def sender(database: Database, keyring: Keyring) -> int:
    """A mailing with the number 1 to two readers, and a sender."""
    with database.transaction() as session:
        a_mailing(session, keyring, 2)
        return a_sender(session)


def claims(sender: int, found: list[int]) -> Act:
    """Claim, and note how many."""
    return lambda session: found.append(len(claim(session, sender, limit=9, now=MONDAY)))


def pause_and_revise(session: Transaction) -> None:
    pause(session, 1)
    context = EditionContext(NEWSLETTER, PUBLIC_URL)
    revise(session, context, 1, BETTER, by="editor", now=MONDAY)


def recall_it(session: Transaction) -> None:
    recall(session, 1)


@pytest.mark.parametrize("act", [recall_it, pause_and_revise])
def test_a_claim_that_is_not_committed_yet_is_seen(
    act: Act, database: Database, sender: int
) -> None:
    """Or else its message, of the earlier text, would go afterwards."""
    found: list[int] = []
    assert isinstance(meet(database, claims(sender, found), act), MessagesClaimed)
    assert found == [2]
    with database.reading() as session:
        mailing = session.get_one(Mailing, 1)
        assert (mailing.state, mailing.revision) == ("running", 1)
        assert approved_segments(session, WEEK) == ("en",)


@pytest.mark.parametrize("act", [recall_it, pause_and_revise])
def test_a_claim_passes_over_a_mailing_that_is_decided_about(
    act: Act, database: Database, sender: int
) -> None:
    found: list[int] = []
    assert meet(database, act, claims(sender, found)) is None
    assert found == [0]
    with database.reading() as session:
        assert states(session) == {"pending": 2}


def test_a_claim_after_a_revision_is_of_the_new_one(database: Database, sender: int) -> None:
    def resume(session: Transaction) -> None:
        pause_and_revise(session)
        resume_mailing(session, 1, life=LIFE, now=MONDAY)

    found: list[int] = []
    meet(database, resume, claims(sender, found))
    with database.transaction() as session:
        taken = claim(session, sender, limit=9, now=MONDAY)
        assert [each.revision for each in taken] == [2, 2]


def approve_again(session: Transaction) -> None:
    approve(session, NEWSLETTER, WEEK, ["en"], by="editor", now=MONDAY)
    freeze(session, NEWSLETTER, WEEK, ["en"], public_url=PUBLIC_URL, now=MONDAY)


@pytest.fixture
def recalled(database: Database, sender: int) -> int:
    """The mailing was recalled, and its issue is approved again."""
    in_one(database, recall_it)
    in_one(database, approve_again)
    return sender


def launch_it(session: Transaction) -> bool:
    return launch(session, WEEK, EN, by="editor", now=MONDAY)[1]


def test_a_second_launch_and_a_withdrawal_leave_nothing_launched_that_is_not_approved(
    database: Database, recalled: int
) -> None:
    refused = meet(database, lambda session: withdraw(session, WEEK), launch_it)
    assert isinstance(refused, NotApproved)
    in_one(database, approve_again)
    refused = meet(database, launch_it, lambda session: withdraw(session, WEEK))
    assert isinstance(refused, AlreadySent)
    with database.reading() as session:
        assert approved_segments(session, WEEK) == ("en",)
        assert session.scalars(select(Mailing.state)).all() == ["enrolling"]


def test_two_launches_of_what_was_recalled_are_one(database: Database, recalled: int) -> None:
    new: list[bool] = []

    def note(session: Transaction) -> None:
        new.append(launch_it(session))

    assert meet(database, note, note) is None
    assert sorted(new) == [False, True]


def test_a_recall_and_a_cancelling_end_in_one_of_both(database: Database, sender: int) -> None:
    def cancel_it(session: Transaction) -> None:
        cancel_mailing(session, 1, now=MONDAY)

    assert meet(database, cancel_it, recall_it) is None, "what was cancelled can be recalled"
    with database.transaction() as session:
        assert session.scalars(select(Mailing.state)).all() == ["recalled"]
        complete(session, now=MONDAY)
        assert states(session) == {}


def test_a_recall_meets_the_end_of_a_mailing(database: Database, sender: int) -> None:
    """Every reader left: the mailing is finished at the moment of the recall."""
    with database.transaction() as session:
        session.execute(update(Delivery).values(state="excluded", reason="unsubscribed"))
    assert meet(database, lambda session: complete(session, now=MONDAY), recall_it) is None
    with database.reading() as reading:
        assert reading.scalars(select(Mailing.state)).all() == ["recalled"]
