"""An operator's hand: pause, resume, cancel, each as often as one likes."""

import pytest

from app.database import Database
from app.mailings.control import cancel, pause, resume
from app.mailings.launch import MailingUnknown, launch
from app.mailings.states import (
    CANCELLED,
    ENROLLING,
    FINISHED,
    PAUSED,
    RECALLED,
    RUNNING,
    MoveNotAllowed,
)
from tests.support.builders import NEWSLETTER, WEEK, an_issue
from tests.support.clock import MONDAY


@pytest.fixture
def mailing_id(database: Database) -> int:
    with database.transaction() as session:
        an_issue(session, approved=("en",))
        mailing, _ = launch(session, WEEK, NEWSLETTER.segment("en"), by="editor", now=MONDAY)
        return mailing.id


def test_a_pause_can_be_repeated_and_ended(database: Database, mailing_id: int) -> None:
    with database.transaction() as session:
        assert pause(session, mailing_id).state == PAUSED
        assert pause(session, mailing_id).state == PAUSED
        assert resume(session, mailing_id).state == ENROLLING
        assert resume(session, mailing_id).state == ENROLLING


def test_a_mailing_with_its_audience_goes_on_running(database: Database, mailing_id: int) -> None:
    with database.transaction() as session:
        pause(session, mailing_id).audience = 3
        assert resume(session, mailing_id).state == RUNNING


def test_a_cancelled_mailing_can_be_resumed_and_not_paused(
    database: Database, mailing_id: int
) -> None:
    with database.transaction() as session:
        mailing = cancel(session, mailing_id, now=MONDAY)
        assert (mailing.state, mailing.finished_at) == (CANCELLED, MONDAY)
        assert cancel(session, mailing_id, now=MONDAY).state == CANCELLED
        with pytest.raises(MoveNotAllowed, match="The mailing is cancelled; it cannot be paused"):
            pause(session, mailing_id)
        assert (resume(session, mailing_id).state, mailing.finished_at) == (ENROLLING, None)


def test_what_is_finished_cannot_be_stopped_or_resumed(database: Database, mailing_id: int) -> None:
    with database.transaction() as session:
        pause(session, mailing_id).state = FINISHED
        with pytest.raises(MoveNotAllowed):
            pause(session, mailing_id)
        with pytest.raises(MoveNotAllowed):
            cancel(session, mailing_id, now=MONDAY)
        with pytest.raises(MoveNotAllowed):
            resume(session, mailing_id)


def test_what_is_recalled_is_launched_again_and_not_resumed(
    database: Database, mailing_id: int
) -> None:
    with database.transaction() as session:
        pause(session, mailing_id).state = RECALLED
        session.flush()
        for act in (pause, resume):
            with pytest.raises(MoveNotAllowed, match="The mailing is recalled"):
                act(session, mailing_id)


def test_an_unknown_mailing_is_refused(database: Database) -> None:
    with database.transaction() as session, pytest.raises(MailingUnknown):
        pause(session, 17)
