"""Freezing: once per segment and language, and never again while the approval stands."""

from datetime import timedelta

from sqlalchemy import select

from app.database import Database
from app.editions.freezing import editions_of, freeze
from app.editions.models import Edition
from app.issues.approval import approve
from app.mailings.withdrawal import withdraw
from tests.support.builders import NEWSLETTER, PUBLIC_URL, WEEK, an_issue
from tests.support.clock import MONDAY

LATER = MONDAY + timedelta(days=1)


def frozen(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        rows = session.execute(select(Edition.segment, Edition.language))
        return sorted((row.segment, row.language) for row in rows)


def test_each_segment_is_frozen_in_each_of_its_languages(database: Database) -> None:
    with database.transaction() as session:
        an_issue(session, approved=("en", "be-ru"))
    assert frozen(database) == [("be-ru", "be"), ("be-ru", "ru"), ("en", "en")]


def test_what_is_frozen_does_not_change(database: Database) -> None:
    with database.transaction() as session:
        an_issue(session, approved=("en",))
        before = editions_of(session, str(WEEK), "en")["en"].html
    with database.transaction() as session:
        approve(session, NEWSLETTER, WEEK, None, by="editor", now=LATER)
        url = "https://elsewhere.example.org"
        freeze(session, NEWSLETTER, WEEK, ("en", "be-ru"), public_url=url, now=LATER)
    assert len(frozen(database)) == 3
    with database.reading() as session:
        english = editions_of(session, str(WEEK), "en")["en"]
        assert (english.html, english.frozen_at) == (before, MONDAY)
        belarusian = editions_of(session, str(WEEK), "be-ru")["be"]
        assert url in belarusian.html


def test_after_a_withdrawal_it_is_frozen_anew(database: Database) -> None:
    with database.transaction() as session:
        an_issue(session, approved=("en",))
    with database.transaction() as session:
        withdraw(session, WEEK)
    assert frozen(database) == []
    with database.transaction() as session:
        approve(session, NEWSLETTER, WEEK, ["en"], by="editor", now=LATER)
        freeze(session, NEWSLETTER, WEEK, ["en"], public_url=PUBLIC_URL, now=LATER)
    assert frozen(database) == [("en", "en")]


def test_one_language_is_read_in_both_editions(database: Database) -> None:
    with database.transaction() as session:
        an_issue(session, languages=("en", "ru"), approved=("be-ru",))
        editions = editions_of(session, str(WEEK), "be-ru")
        assert set(editions) == {"be", "ru"}
        assert all("Text (ru)" in edition.text for edition in editions.values())
        assert editions["be"].subject != editions["ru"].subject
