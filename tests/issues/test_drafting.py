"""Drafts: stored whole, replaced only by who has seen them, closed once approved."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.database import Database
from app.errors import DomainError
from app.issues.content import IssueContent, UnknownLanguage, UnknownRubric
from app.issues.drafting import (
    EtagDiffers,
    IssueClosed,
    IssueUnknown,
    WeekDiffers,
    check_match,
    content_of,
    delete,
    find,
    list_issues,
    store,
)
from app.issues.models import Issue
from app.issues.photos import PhotoUnknown
from app.issues.week import Week
from tests.support.builders import NEWSLETTER, WEEK, a_document, an_issue
from tests.support.clock import MONDAY


def content(**changes: str) -> IssueContent:
    return IssueContent.model_validate(a_document(**changes))


def put(database: Database, said: str = "Text", if_match: str | None = None) -> tuple[str, bool]:
    with database.transaction() as session:
        issue, new = store(
            session, NEWSLETTER, WEEK, content(said=said), now=MONDAY, if_match=if_match
        )
        return issue.etag, new


def stored(database: Database) -> str:
    with database.reading() as session:
        return content_of(find(session, WEEK)).commentaries[0].texts["en"].body


def test_a_draft_is_kept_whole(database: Database) -> None:
    assert put(database)[1]
    with database.reading() as session:
        assert content_of(find(session, WEEK)) == content()


def test_the_same_content_has_the_same_etag(database: Database) -> None:
    first, _ = put(database)
    assert put(database) == (first, False)
    assert put(database, "Other")[0] != first
    assert put(database)[0] == first


def test_a_draft_is_replaced_by_who_has_seen_it(database: Database) -> None:
    etag, _ = put(database)
    put(database, "Second", f'"{etag}"')
    with pytest.raises(EtagDiffers):
        put(database, "Third", f'"{etag}"')
    assert stored(database) == "Second."


@pytest.mark.parametrize("if_match", ['"of another"', "*", '""', ""])
def test_nothing_is_made_that_was_to_be_replaced(database: Database, if_match: str) -> None:
    with pytest.raises(EtagDiffers):
        put(database, if_match=if_match)
    with database.reading() as session:
        assert list_issues(session) == []


ETAGS = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(current=ETAGS, others=st.lists(ETAGS), named=st.booleans())
def test_if_match_holds_for_a_list_that_names_it(
    current: str, others: list[str], *, named: bool
) -> None:
    issue = Issue(week="2025-W04", content="", etag=current, changed_at=MONDAY)
    tags = [*others, current] if named else [tag for tag in others if tag != current]
    header = ", ".join(f'"{tag}"' for tag in tags) or '""'
    if named:
        check_match(issue, header)
    else:
        with pytest.raises(EtagDiffers):
            check_match(issue, header)


def test_any_etag_is_matched_by_a_star() -> None:
    check_match(Issue(week="2025-W04", content="", etag="1", changed_at=MONDAY), "*")


def test_a_weak_tag_matches_nothing() -> None:
    issue = Issue(week="2025-W04", content="", etag="abc", changed_at=MONDAY)
    for weak in ('W/"abc"', '"x", W/"abc"', 'W/"x","y", W/"abc"'):
        with pytest.raises(EtagDiffers):
            check_match(issue, weak)
    check_match(issue, 'W/"x","abc"')
    check_match(issue, "abc")  # as the body of an answer says it


def test_two_who_replace_one_draft_at_once_do_not_both_succeed(database: Database) -> None:
    etag, _ = put(database)

    def replace(said: str) -> bool:
        try:
            put(database, said, f'"{etag}"')
        except EtagDiffers:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(replace, ["A", "B", "C", "D"])) == 1


def test_two_who_store_a_new_draft_at_once_both_succeed(database: Database) -> None:
    begun = Event()

    def put_slowly() -> bool:
        with database.transaction() as session:
            _, new = store(session, NEWSLETTER, WEEK, content(said="First"), now=MONDAY)
            begun.set()
            Event().wait(0.5)  # long enough for the other to come to the row
            return new

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(put_slowly)
        begun.wait(10)
        quick = pool.submit(put, database, "Second")
        assert slow.result()
        assert not quick.result()[1]
    assert stored(database) == "Second."


def test_an_approved_issue_is_closed(database: Database) -> None:
    with database.transaction() as session:
        an_issue(session, approved=("en",))
    with pytest.raises(IssueClosed):
        put(database, "Other")
    with pytest.raises(IssueClosed), database.transaction() as session:
        delete(session, WEEK)
    assert stored(database) == "Text."
    assert not put(database)[1]  # what changes nothing is no edit


def test_a_draft_can_be_deleted(database: Database) -> None:
    etag, _ = put(database)
    with pytest.raises(EtagDiffers), database.transaction() as session:
        delete(session, WEEK, if_match='"other"')
    with database.transaction() as session:
        delete(session, WEEK, if_match=f'"{etag}"')
    with database.transaction() as session, pytest.raises(IssueUnknown):
        delete(session, WEEK)


def test_issues_are_listed_from_the_newest(database: Database) -> None:
    with database.transaction() as session:
        for week in ("2024-W52", "2025-W02", "2025-W01"):
            an_issue(session, Week.parse(week))
        assert [each.week for each in list_issues(session)] == ["2025-W02", "2025-W01", "2024-W52"]


def test_what_does_not_fit_is_not_stored(database: Database) -> None:
    wrong = a_document()
    wrong["commentaries"][0]["rubric"] = "weather"
    foreign = a_document(languages=["en", "de"])
    photo = a_document()
    photo["commentaries"][0]["photo"] = {"credit": "Someone", "id": "nowhere"}
    refusals: list[tuple[dict[str, Any], type[DomainError], str]] = [
        (a_document("2025-W05"), WeekDiffers, "week"),
        (wrong, UnknownRubric, "commentaries.0.rubric"),
        (foreign, UnknownLanguage, "commentaries.0.texts.de"),
        (photo, PhotoUnknown, "commentaries.0.photo.id"),
    ]
    for document, kind, field in refusals:
        with database.transaction() as session, pytest.raises(kind) as refused:
            store(session, NEWSLETTER, WEEK, IssueContent.model_validate(document), now=MONDAY)
        assert refused.value.field == field
    with database.reading() as session:
        assert list_issues(session) == []
