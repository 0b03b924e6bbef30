"""Long commentaries: cut between paragraphs, fairly, and only as much as mailboxes demand."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.editions.rendering import render
from app.editions.truncation import fitted, html_size, shortened
from app.issues.content import IssueContent
from app.mail.message.self_check import LARGEST_HTML
from app.mail.message.templates import Rendered
from app.newsletter import Newsletter

URL = "https://news.example.org"
blocks = st.lists(st.text(max_size=40), max_size=6)


@given(st.lists(blocks, max_size=6), st.integers(-10, 600))
def test_what_is_kept_fits_and_begins_as_it_began(bodies: list[list[str]], room: int) -> None:
    kept = shortened(bodies, room)
    assert sum(len(block.encode()) for body in kept for block in body) <= max(room, 0)
    assert all(body[: len(some)] == some for body, some in zip(bodies, kept, strict=True))


@given(st.lists(blocks, max_size=6))
def test_what_fits_stays_whole(bodies: list[list[str]]) -> None:
    assert shortened(bodies, sum(len(b.encode()) for body in bodies for b in body)) == bodies


def test_the_longest_pays() -> None:
    short, long = ["a" * 10] * 2, ["b" * 10] * 9
    assert shortened([long, short, long], 100) == [long[:4], short, long[:4]]


@pytest.mark.parametrize(
    "promise", ["<p>Three things:</p>", "<p><em>These:</em></p>", "<h3>More</h3>", "<hr />"]
)
def test_nothing_is_announced_that_does_not_come(promise: str) -> None:
    body = ["<p>a: b.</p>", promise, "<p>" + "c" * 99 + "</p>"]
    assert shortened([body], 60) == [body[:1]]
    assert shortened([body[:2]], 60) == [body[:2]], "an end that the author chose is none of ours"


def test_a_message_too_large_without_bodies_comes_back() -> None:
    frame = "x" * LARGEST_HTML
    message = fitted([["<p>a</p>"]], lambda bodies: Rendered("s", frame + str(bodies), "t"))
    assert message.html == frame + "[[]]"


def test_the_size_is_that_of_the_worse_of_both_ways() -> None:
    assert html_size("a" * 60) == 60
    assert html_size("ж" * 30) == 80 + 2  # in base64, on two lines


def an_issue(body: str, count: int) -> IssueContent:
    commentary: dict[str, Any] = {
        "rubric": "economy",
        "situation": "worse",
        "texts": {
            language: {"title": f"Title in {language}", "body": body} for language in ("en", "be")
        },
    }
    return IssueContent.model_validate({"week": "2025-W04", "commentaries": [commentary] * count})


@pytest.mark.parametrize(
    ("segment", "language", "sentence"),
    [
        ("en", "en", "What happened, and why it matters. "),
        ("en", "en", "“What’s happened” — so-called… "),
        ("be-ru", "be", "Што адбылося і чаму гэта важна. "),
        ("be-ru", "ru", "Што адбылося і чаму гэта важна. "),
    ],
)
def test_a_long_issue_is_cut_at_paragraphs_and_says_where_the_rest_is(
    segment: str, language: str, sentence: str
) -> None:
    newsletter = Newsletter.load()
    paragraph = (sentence * 12).strip()
    content = an_issue("\n\n".join([paragraph] * 40), 12)
    message = render(content, newsletter.segment(segment), language, newsletter, URL)
    assert 0.8 * LARGEST_HTML < html_size(message.html) < LARGEST_HTML
    page = f"{URL}/archive/{segment}/2025-W04?language={language}"
    rests = re.findall(r'<a class="rest" href="([^"]+)"', message.html)
    assert rests == [f"{page}#commentary-{number}" for number in range(1, 13)]
    shown = re.findall(r"<p>(.*?)</p>", message.html)
    assert {each for each in shown if sentence.split(maxsplit=1)[0] in each} == {paragraph}
    assert message.text.count(paragraph) == 12 * 40, "the text is whole"


def test_a_short_issue_has_no_rest() -> None:
    newsletter = Newsletter.load()
    message = render(an_issue("Short.", 3), newsletter.segment("en"), "en", newsletter, URL)
    assert 'class="rest"' not in message.html


def test_references_survive_the_cut() -> None:
    """What a link leads to may be written at a body's end: the cut is made after parsing."""
    newsletter = Newsletter.load()
    body = "See [it][1].\n\n" + ("Long. " * 200 + "\n\n") * 52 + "[1]: https://example.org/it"
    message = render(an_issue(body, 3), newsletter.segment("en"), "en", newsletter, URL)
    assert message.html.count('class="rest"') == 3
    assert message.html.count('<a href="https://example.org/it">it</a>') == 3
