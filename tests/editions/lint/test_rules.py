"""Findings: each fault is found where it is, and a good issue has none."""

import copy
import re
from collections.abc import Sequence
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.demo.issue import sample_issue
from app.editions.lint.links import on_links, on_message
from app.editions.lint.rules import Finding, Level, examine
from app.editions.lint.wording import on_preheader, on_subject, on_text, writings
from app.editions.rendering import render
from app.editions.self_check import objections
from app.issues.content import IssueContent, Text
from app.languages import available
from app.mail.message.templates import Rendered
from app.newsletter import Newsletter
from tests.support.builders import a_document

NEWSLETTER = Newsletter.load()
URL = "https://news.example.org"
EDITIONS = [("en", "en"), ("be-ru", "be"), ("be-ru", "ru")]
BODY = {
    "en": "Two freight lanes at a crossing on the border are working again.",
    "be": "Дзве паласы на мяжы зноў працуюць, і гэта значыць больш, чым здаецца.",
    "ru": "Две полосы на границе снова работают, и это значит больше, чем кажется.",
}
TITLES = {
    "en": "Freight lanes reopen, but nobody calls it a thaw",
    "be": "Грузавыя палосы адкрыліся, але ніхто не кажа пра адлігу",
    "ru": "Грузовые полосы открылись, но никто не говорит об оттепели",
}


def a_commentary(**more: Any) -> dict[str, Any]:
    texts = {each: {"title": TITLES[each], "body": BODY[each]} for each in TITLES}
    return {"rubric": "economy", "situation": "worse", "texts": texts, **more}


def content_of(*commentaries: dict[str, Any]) -> IssueContent:
    return IssueContent.model_validate({"week": "2025-W04", "commentaries": commentaries})


def found(
    content: IssueContent, segment: str = "en", language: str = "en", url: str = URL
) -> list[tuple[str, str]]:
    read = NEWSLETTER.segment(segment)
    rendered = render(content, read, language, NEWSLETTER, url)
    return told(examine(content, read, language, rendered, url))


def told(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(each.level.value, each.where) for each in findings]


def in_body(body: str) -> list[tuple[str, str]]:
    return [(each.level.value, each.message) for each in on_links("x", body)]


@pytest.mark.parametrize(("segment", "language"), EDITIONS)
@pytest.mark.parametrize("url", [URL, "http://localhost:8000"])
def test_a_good_issue_has_none(segment: str, language: str, url: str) -> None:
    assert found(content_of(a_commentary()), segment, language, url) == []
    sample = IssueContent.model_validate(sample_issue("2025-W04"))
    assert found(sample, segment, language, url) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[here](http://example.org/)", "the link “here” does not begin with https://"),
        ("[here](/page)", "the link “here” does not begin with https://"),
        ("[here](javascript:alert)", "the link “here” does not begin with https://"),
        ("[here](https:///page)", "the link “here” leads nowhere: its address is malformed"),
        ("[here](https://[::1/x)", "the link “here” leads nowhere: its address is malformed"),
        (
            "[here](https://ann:x@example.org/)",
            "the link “here” leads nowhere: its address is malformed",
        ),
        ("[here](mailto:ann)", "the link “here” leads nowhere: its address is malformed"),
        ("[](https://example.org/)", "a link shows no words, so nobody can see or follow it"),
    ],
)
def test_links_that_will_not_be_links_are_errors(body: str, message: str) -> None:
    assert ("error", message) in in_body(body)


@pytest.mark.parametrize(
    ("words", "href"),
    [
        ("https://example.org", "https://example.com/"),
        ("example.org", "https://example.com/example.org"),
        ("www.example.org", "https://example.com/"),
        ("https://example.org/a", "https://example.org/b"),
        ("example.org", "https://example.org.example.com/"),
        ("ann@example.org", "mailto:eve@example.org"),
        ("ann@example.org", "https://example.org/"),
        ("пошта.example.org", "https://example.org/"),
    ],
)
def test_words_that_are_another_address_are_errors(words: str, href: str) -> None:
    (said,) = in_body(f"See [{words}]({href}).")
    assert said[0] == "error"
    assert said[1].endswith("shows another address than it leads to")
    assert "@example.org" not in said[1]


@pytest.mark.parametrize(
    "body",
    [
        "[https://example.org](https://example.org/)",
        "[example.org/report…](https://example.org/report/2025)",
        "[Example.org](https://www.example.org/page?a=1)",
        "[example.org](https://news.example.org/page)",
        "[пошта.example.org](https://пошта.example.org/шлях)",
        "[ann@example.org](mailto:ann@example.org)",
        "https://example.org/a_(b)?c=d, and [words](https://example.com/).",
        "[a report of example.org](https://example.com/)",
        "`[here](http://example.org/)`",
    ],
)
def test_honest_links_are_not_found(body: str) -> None:
    assert in_body(body) == []


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("[here](https://localhost/)", "cannot reach"),
        ("[here](https://intranet/page)", "cannot reach"),
        ("[here](<https://example.org/a b>)", "a space"),
        ("![a map](https://example.org/map.png)", "a picture"),
        ("See http://example.org/ for more.", "plain http://"),
    ],
)
def test_doubtful_links_are_warnings(body: str, part: str) -> None:
    (said,) = in_body(body)
    assert said[0] == "warning"
    assert part in said[1]


def test_a_link_of_the_template_is_looked_at_too() -> None:
    assert told(list(on_message("x", '<a href="http://example.org/">', URL))) == [("error", "x")]
    # What only begins like our own address is not ours.
    html = '<a href="http://localhost.example.org/">'
    assert told(list(on_message("x", html, "http://localhost"))) == [("error", "x")]


def test_a_photo_in_the_message_needs_its_description() -> None:
    photo = {"credit": "Agency", "id": "abc", "alt": {"ru": "Граница"}}
    content = content_of(a_commentary(photo=photo))
    read = NEWSLETTER.segment("be-ru")
    nothing = render(content_of(a_commentary()), read, "be", NEWSLETTER, URL)
    for language, expected in (("be", [("error", "commentaries.0.photo.alt.be")]), ("ru", [])):
        assert told(examine(content, read, language, nothing, URL)) == expected


@pytest.mark.parametrize(
    ("subject", "level"),
    [
        ("", "error"),
        (" ", "error"),
        ("News\nBcc: x", "error"),
        ("News \u202e txt", "error"),
        ("N" + "ews " * 20, "warning"),
        ("BELARUS THIS WEEK", "warning"),
        ("News! News!", "warning"),
        ("It is FREE", "warning"),
        ("Сегодня бесплатно", "warning"),
        ("Толькі сёння бясплатна", "warning"),
    ],
)
def test_subjects(subject: str, level: str) -> None:
    assert (level, "x") in told(list(on_subject("x", subject)))


@pytest.mark.parametrize(
    "subject",
    [
        "Belarus in Brief: January 20 – 26, 2025",
        "Беларусь сцісла: 20–26 студзеня 2025",
        "Free and fair elections, and freed prisoners",
        "EU, NATO, OSCE",
        "Что дальше?!",
    ],
)
def test_ordinary_subjects_are_not_found(subject: str) -> None:
    assert list(on_subject("x", subject)) == []


def test_a_short_preheader_is_a_warning() -> None:
    assert told(list(on_preheader("x", "Short"))) == [("warning", "x")]
    assert list(on_preheader("x", "x" * 40)) == []


@pytest.mark.parametrize("declared", ["en", "be", "ru"])
@pytest.mark.parametrize("written", ["en", "be", "ru"])
def test_a_text_in_another_language_is_noticed(declared: str, written: str) -> None:
    text = Text(title=TITLES[written], body=BODY[written])
    assert len(list(on_text("x", text, declared))) == (declared != written)


def test_too_few_messages_say_nothing() -> None:
    assert list(on_text("x", Text(title="Выбары", body="2025"), "en")) == []


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ('He said "no" to that.', "straight quotation marks"),
        ("That's it.", "straight apostrophes"),
        ("This - and that.", "hyphens"),
        ("This -- and that.", "hyphens"),
    ],
)
def test_typewriter_signs_are_hinted_at(body: str, hint: str) -> None:
    (finding,) = on_text("x", Text(title="Title", body=body), "en")
    assert (finding.level, finding.where) == (Level.WARNING, "x.body")
    assert hint in finding.message


def test_what_has_to_be_typed_so_is_no_hint() -> None:
    body = "- one\n- two\n\nA well-known “one” – `\"--\" - 'x'y`, [a](https://example.org/b--c).\n\n---\n\nEnd."
    assert list(on_text("x", Text(title="Title", body=body), "en")) == []


def test_a_title_twice_is_a_warning() -> None:
    twice = content_of(a_commentary(), a_commentary())
    assert found(twice) == [("warning", "commentaries.0")]


@pytest.mark.parametrize(
    ("paragraphs", "said"), [(10, None), (34, "are near"), (100, "are cut in the message: 4")]
)
def test_a_long_issue_is_warned_of(paragraphs: int, said: str | None) -> None:
    long = a_commentary()
    long["texts"]["en"]["body"] = (BODY["en"] * 8 + "\n\n") * paragraphs
    content = content_of(*(copy.deepcopy(long) for _ in range(4)))
    read = NEWSLETTER.segment("en")
    findings = examine(content, read, "en", render(content, read, "en", NEWSLETTER, URL), URL)
    told_of = [each for each in findings if each.where == "editions.en.en.html"]
    assert [each.level for each in told_of] == [Level.WARNING] * (said is not None)
    assert all(said is not None and said in each.message for each in told_of)


def test_a_message_too_large_even_when_cut_is_an_error() -> None:
    """Titles cannot be cut: thirty of the longest in Cyrillic are more than a mailbox shows."""
    many = [a_commentary() for _ in range(30)]
    for each in many:
        for text in each["texts"].values():
            text["title"] = "Ж" * 300
    assert ("error", "editions.be-ru.be.html") in found(content_of(*many), "be-ru", "be")


def test_a_message_that_does_not_read_back_is_an_error() -> None:
    good = render(content_of(a_commentary()), NEWSLETTER.segment("en"), "en", NEWSLETTER, URL)
    assert objections(good, "en") == ()
    for bad in (
        Rendered("", good.html, good.text),
        Rendered("a\nb", good.html, good.text),
        Rendered(good.subject, "<p>no link</p>", good.text),
        Rendered(good.subject, good.html, "no link\n"),
        Rendered(good.subject, good.html + "\ud800", good.text),
    ):
        assert objections(bad, "en")


def test_errors_block_approval_and_are_listed(operators: TestClient) -> None:
    faulty = a_document()
    faulty["commentaries"][0]["texts"]["be"]["body"] = "Гл. [тут](http://example.org/)."
    operators.put("/v1/issues/2025-W04", json=faulty)
    answer = operators.post("/v1/issues/2025-W04/approval")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:vestka:problem:edition-faulty"
    errors = answer.json()["findings"]
    assert {(each["level"], each["where"]) for each in errors} == {
        ("error", "commentaries.0.texts.be.body")
    }
    assert operators.get("/v1/issues/2025-W04").json()["approved"] == []
    shown = operators.get("/v1/issues/2025-W04/editions/be-ru").json()
    assert errors[0] in shown["findings"]
    assert operators.post("/v1/issues/2025-W04/approval", json={"segments": ["en"]}).is_success


def test_warnings_are_listed_and_block_nothing(operators: TestClient) -> None:
    operators.put("/v1/issues/2025-W04", json=a_document())
    answer = operators.post("/v1/issues/2025-W04/approval").json()
    assert {each["where"] for each in answer["findings"]} == {
        "editions.en.en.preheader",
        "editions.be-ru.be.preheader",
        "editions.be-ru.ru.preheader",
    }


def test_how_a_language_is_written_stands_beside_its_phrases() -> None:
    assert set(writings()) == set(available())
    for written in writings().values():
        assert written.script
        assert all(re.compile(each) for each in written.loud)
