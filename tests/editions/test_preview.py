"""A preview is what would go: rendered while it is a draft, frozen once it is approved."""

import pytest

from app.database import Database
from app.editions.freezing import EditionUnknown
from app.editions.preview import preview, to_look_at
from app.issues.approval import IssueIncomplete
from app.issues.drafting import IssueUnknown
from app.mail.message.templates import Rendered
from tests.support.builders import NEWSLETTER, PUBLIC_URL, WEEK, an_issue


def look(
    database: Database, segment: str, language: str | None = None, url: str = PUBLIC_URL
) -> Rendered:
    with database.reading() as session:
        found = NEWSLETTER.segment(segment)
        return preview(session, NEWSLETTER, WEEK, found, public_url=url, language=language)


def test_a_draft_is_rendered_in_the_segment_s_first_language(database: Database) -> None:
    with database.transaction() as session:
        an_issue(session)
    assert look(database, "be-ru") == look(database, "be-ru", "be")
    assert look(database, "be-ru") != look(database, "be-ru", "ru")


def test_what_is_frozen_is_shown_as_it_is(database: Database) -> None:
    with database.transaction() as session:
        an_issue(session, approved=("en",))
    elsewhere = "https://elsewhere.example.org"
    assert look(database, "en", url=elsewhere) == look(database, "en")
    assert elsewhere in look(database, "be-ru", url=elsewhere).html


def test_what_cannot_be_shown_is_refused(database: Database) -> None:
    with pytest.raises(IssueUnknown):
        look(database, "en")
    with database.transaction() as session:
        an_issue(session, languages=["en"])
    with pytest.raises(EditionUnknown):
        look(database, "en", "be")
    with pytest.raises(IssueIncomplete):
        look(database, "be-ru")


def test_no_placeholder_is_shown_to_eyes(database: Database) -> None:
    with database.transaction() as session:
        an_issue(session)
    rendered = look(database, "en")
    shown = to_look_at(rendered)
    for seen, meant in ((shown.html, rendered.html), (shown.text, rendered.text)):
        assert "vestka-slot" in meant
        assert "vestka-slot" not in seen
        assert f"{PUBLIC_URL}/unsubscribe/preview" in seen
