"""An issue as a page shows it: in the reader's language, the segment's other one, or not at all."""

import pytest

from app.archive.summaries import summary_of
from app.archive.view_models import bound, headings, issue_views, rubric_name
from app.issues.content import IssueContent
from tests.archive.rows import FIRST, SECOND
from tests.support.builders import NEWSLETTER

EN, BE_RU = NEWSLETTER.segments
CONTENT = IssueContent.model_validate({"week": "2025-W04", "commentaries": [FIRST, SECOND]})


def test_everything_of_a_commentary_is_there() -> None:
    first, second = issue_views(CONTENT, EN, "en", NEWSLETTER)
    assert first.heading.rubric == "Economy"
    assert (first.heading.shape, first.heading.situation) == ("▼", "The situation has gotten worse")
    assert (first.heading.title, first.heading.lang) == ("Prices & wages", None)
    assert (first.author, first.credit) == ("A. Author & Co", "Photo <Agency>")
    assert '<a href="https://example.org/a?b=1&amp;c=2">the report</a>' in first.html
    assert (second.author, second.credit) == (None, None)
    assert [each.heading.anchor for each in (first, second)] == ["commentary-1", "commentary-2"]


def test_a_text_in_the_other_language_is_marked() -> None:
    first, second = issue_views(CONTENT, BE_RU, "ru", NEWSLETTER)
    assert (first.heading.lang, second.heading.lang) == (None, "be")
    assert second.heading.title == "Ціхі тыдзень"
    assert second.html == "<p>Ціха.</p>"
    assert second.heading.situation == "Ситуация улучшилась"


def test_what_the_segment_cannot_read_is_left_out_and_anchors_stay() -> None:
    only_belarusian = {**SECOND, "texts": {"be": SECOND["texts"]["be"]}}
    content = IssueContent.model_validate(
        {"week": "2025-W04", "commentaries": [only_belarusian, FIRST]}
    )
    (shown,) = issue_views(content, EN, "en", NEWSLETTER)
    assert shown.heading.anchor == "commentary-2"


def test_an_index_has_the_headings_of_the_page() -> None:
    outlines = [summary_of(each) for each in CONTENT.commentaries]
    for segment, language in ((EN, "en"), (BE_RU, "be"), (BE_RU, "ru")):
        page = issue_views(CONTENT, segment, language, NEWSLETTER)
        index = headings(outlines, segment, language, NEWSLETTER)
        assert index == [reading.heading for reading in page]


def test_a_rubric_that_was_given_up_goes_by_its_id() -> None:
    assert rubric_name(NEWSLETTER, "economy", "be") == "Эканоміка"
    assert rubric_name(NEWSLETTER, "culture", "be") == "culture"


@pytest.mark.parametrize(
    ("title", "set_"),
    [
        ("Цэны — і зарплаты", "Цэны\u00a0— і\u00a0зарплаты"),
        ("У краіне і ў свеце", "У\u00a0краіне і\u00a0ў\u00a0свеце"),
        ("Belarus – a year", "Belarus\u00a0– a\u00a0year"),
        ("China’s loan: plan B fails", "China’s loan: plan B\u00a0fails"),
        ("Two words", "Two words"),
    ],
)
def test_titles_are_set_as_native_typography_wants(title: str, set_: str) -> None:
    assert bound(title) == set_
