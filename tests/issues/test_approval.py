"""Approval: for all that was asked or for none, of what was seen, withdrawn before it goes."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from sqlalchemy import select

from app.database import Database
from app.editions.models import Edition
from app.issues import approval
from app.issues.approval import (
    IssueIncomplete,
    NotApproved,
    approve,
    approved_segments,
)
from app.issues.content import IssueContent, missing_texts
from app.issues.drafting import IssueClosed, IssueUnknown, content_of, find, store
from app.mailings.withdrawal import withdraw
from app.newsletter import Segment, UnknownSegment
from tests.support.builders import NEWSLETTER, WEEK, a_document, an_issue
from tests.support.clock import MONDAY


def approve_it(database: Database, *segments: str) -> tuple[str, ...]:
    with database.transaction() as session:
        return approve(session, NEWSLETTER, WEEK, segments or None, by="editor", now=MONDAY)


def approved(database: Database) -> tuple[str, ...]:
    with database.reading() as session:
        return approved_segments(session, WEEK)


def store_it(database: Database, *languages: str) -> None:
    with database.transaction() as session:
        an_issue(session, languages=languages or ("en", "be", "ru"))


def test_all_segments_are_meant_if_none_is_named(database: Database) -> None:
    store_it(database)
    assert approve_it(database) == ("en", "be-ru")
    assert approved(database) == ("be-ru", "en")


def test_segments_can_be_approved_one_by_one(database: Database) -> None:
    store_it(database)
    assert approve_it(database, "BE/RU", "be-ru") == ("be-ru",)
    assert approve_it(database, "en") == ("en",)
    assert approve_it(database, "en") == ("en",)
    assert approved(database) == ("be-ru", "en")


def test_one_language_of_a_segment_suffices(database: Database) -> None:
    store_it(database, "en", "ru")
    approve_it(database)
    assert approved(database) == ("be-ru", "en")


def test_what_is_missing_is_named_and_nothing_approved(database: Database) -> None:
    store_it(database, "en")
    with pytest.raises(IssueIncomplete) as refused:
        approve_it(database)
    assert refused.value.facts == {"missing": {"be-ru": ["commentaries.0.texts"]}}
    assert approved(database) == ()
    assert approve_it(database, "en") == ("en",)


def test_an_unknown_segment_is_named_by_its_place(database: Database) -> None:
    store_it(database)
    with pytest.raises(UnknownSegment) as refused:
        approve_it(database, "en", "nobody")
    assert refused.value.field == "segments.1"
    assert approved(database) == ()


def test_there_must_be_an_issue(database: Database) -> None:
    with pytest.raises(IssueUnknown):
        approve_it(database)
    with pytest.raises(IssueUnknown), database.transaction() as session:
        withdraw(session, WEEK)


def test_two_who_approve_at_once_both_succeed(database: Database) -> None:
    store_it(database)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: approve_it(database), range(4)))
    assert results == [("en", "be-ru")] * 4


def test_nobody_edits_what_is_being_approved(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_it(database)
    begun = Event()

    def missing_slowly(content: IssueContent, segment: Segment) -> tuple[str, ...]:
        begun.set()
        Event().wait(0.5)  # long enough for an edit to slip in
        return missing_texts(content, segment)

    def edit() -> None:
        begun.wait(10)
        other = IssueContent.model_validate(a_document(said="Other"))
        with database.transaction() as session:
            store(session, NEWSLETTER, WEEK, other, now=MONDAY)

    monkeypatch.setattr(approval, "missing_texts", missing_slowly)
    with ThreadPoolExecutor(2) as pool:
        editing = pool.submit(edit)
        approve_it(database, "en")
        with pytest.raises(IssueClosed):
            editing.result()
    with database.reading() as session:
        kept = content_of(find(session, WEEK))
    assert kept.commentaries[0].texts["en"].body == "Text."


def test_withdrawing_opens_the_draft_and_thaws_the_editions(database: Database) -> None:
    with database.transaction() as session:
        an_issue(session, approved=("en", "be-ru"))
    with database.transaction() as session:
        withdraw(session, WEEK)
    assert approved(database) == ()
    with database.transaction() as session:
        assert session.scalars(select(Edition)).all() == []
        changed = IssueContent.model_validate(a_document(said="Other"))
        store(session, NEWSLETTER, WEEK, changed, now=MONDAY)


def test_what_is_not_approved_cannot_be_withdrawn(database: Database) -> None:
    store_it(database)
    with pytest.raises(NotApproved), database.transaction() as session:
        withdraw(session, WEEK)
