"""Launching: once, whoever asks and how often; and never against a withdrawal."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from sqlalchemy import func, select

from app.database import Database
from app.issues.approval import NotApproved, approved_segments
from app.issues.drafting import IssueUnknown
from app.mailings.launch import MailingUnknown, find_mailing, launch, mailing_of
from app.mailings.models import Mailing
from app.mailings.states import ENROLLING
from app.mailings.withdrawal import AlreadySent, withdraw
from tests.support.builders import NEWSLETTER, WEEK, an_issue
from tests.support.clock import MONDAY

EN = NEWSLETTER.segment("en")


def launch_it(database: Database, by: str = "editor") -> tuple[int, bool]:
    with database.transaction() as session:
        mailing, new = launch(session, WEEK, EN, by=by, now=MONDAY)
        return mailing.id, new


def test_an_approved_issue_sets_out(database: Database) -> None:
    with database.transaction() as session:
        an_issue(session, approved=("en",))
        mailing, new = launch(session, WEEK, EN, by="editor", now=MONDAY)
        assert new
        assert (mailing.state, mailing.audience) == (ENROLLING, None)
        assert mailing_of(session, WEEK, "be-ru") is None


def test_launching_twice_finds_the_first(database: Database) -> None:
    with database.transaction() as session:
        an_issue(session, approved=("en",))
    first, new = launch_it(database)
    assert new
    assert launch_it(database, "someone else") == (first, False)


def test_many_at_once_launch_one_mailing(database: Database) -> None:
    with database.transaction() as session:
        an_issue(session, approved=("en",))
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda _: launch_it(database), range(6)))
    assert len({number for number, _ in results}) == 1
    assert sorted(new for _, new in results) == [False] * 5 + [True]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Mailing)) == 1


def test_what_is_not_there_or_not_approved_stays(database: Database) -> None:
    with database.transaction() as session, pytest.raises(IssueUnknown):
        launch(session, WEEK, EN, by="editor", now=MONDAY)
    with database.transaction() as session:
        an_issue(session, approved=("be-ru",))
        with pytest.raises(NotApproved):
            launch(session, WEEK, EN, by="editor", now=MONDAY)


def test_an_unknown_mailing_is_not_found(database: Database) -> None:
    with database.reading() as session, pytest.raises(MailingUnknown):
        find_mailing(session, 1)


def test_what_was_launched_cannot_be_withdrawn(database: Database) -> None:
    with database.transaction() as session:
        an_issue(session, approved=("en", "be-ru"))
    launch_it(database)
    with pytest.raises(AlreadySent), database.transaction() as session:
        withdraw(session, WEEK)
    with database.reading() as session:
        assert approved_segments(session, WEEK) == ("be-ru", "en")


def test_a_launch_that_a_withdrawal_overtakes_is_refused(database: Database) -> None:
    with database.transaction() as session:
        an_issue(session, approved=("en",))
    begun, withdrawn = Event(), Event()

    def withdraw_slowly() -> None:
        with database.transaction() as session:
            withdraw(session, WEEK)
            begun.set()
            withdrawn.wait(0.5)  # long enough for the launch to come to the row

    with ThreadPoolExecutor(2) as pool:
        leaving = pool.submit(withdraw_slowly)
        begun.wait(10)
        launching = pool.submit(launch_it, database)
        leaving.result()
        with pytest.raises(NotApproved):
            launching.result()
