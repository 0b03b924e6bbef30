"""The feed, read by a parser of its own: what RFC 4287 requires, and ids that never change."""

from datetime import timedelta
from html.parser import HTMLParser
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest

from app.archive.feed import write_feed
from app.archive.published import PublishedIssue
from app.issues.content import IssueContent
from app.issues.week import Week
from tests.archive.rows import FIRST, SECOND
from tests.support.builders import NEWSLETTER, PUBLIC_URL
from tests.support.clock import MONDAY

ATOM = "{http://www.w3.org/2005/Atom}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
EN, BE_RU = NEWSLETTER.segments
CONTENT = IssueContent.model_validate({"week": "2025-W04", "commentaries": [FIRST, SECOND]})
SENT = [
    (PublishedIssue(Week.parse("2025-W04"), MONDAY, "a"), CONTENT),
    (PublishedIssue(Week.parse("2025-W03"), MONDAY - timedelta(days=7), "b"), CONTENT),
]


def feed(
    language: str = "ru", issues: list[tuple[PublishedIssue, IssueContent]] | None = None
) -> str:
    segment = EN if language == "en" else BE_RU
    sent = SENT if issues is None else issues
    return write_feed(sent, segment, language, NEWSLETTER, PUBLIC_URL)


def parsed(xml: str) -> ET.Element:
    return ET.fromstring(xml)


def text(element: ET.Element, name: str) -> str:
    (found,) = element.findall(ATOM + name)
    return found.text or ""


def links(element: ET.Element) -> dict[str, str]:
    return {each.attrib["rel"]: each.attrib["href"] for each in element.findall(ATOM + "link")}


@pytest.mark.parametrize("language", ["en", "be", "ru"])
def test_a_feed_has_what_the_rfc_requires(language: str) -> None:
    """§4.1.1 and §4.1.2: one id, title, updated; an author; one alternate per type and language."""
    root = parsed(feed(language))
    assert root.tag == ATOM + "feed"
    assert root.attrib[LANG] == language
    assert text(root, "title") == NEWSLETTER.name[language]
    assert text(root, "updated") == "2025-01-27T10:00:00Z"
    (author,) = root.findall(ATOM + "author")
    assert text(author, "name")
    segment = "en" if language == "en" else "be-ru"
    archive = f"{PUBLIC_URL}/archive/{segment}"
    assert links(root) == {
        "self": f"{archive}/feed.xml?language={language}",
        "alternate": f"{archive}?language={language}",
    }
    entries = root.findall(ATOM + "entry")
    assert [text(each, "updated") for each in entries] == [
        "2025-01-27T10:00:00Z",
        "2025-01-20T10:00:00Z",
    ]
    for entry, week in zip(entries, ("2025-W04", "2025-W03"), strict=True):
        assert text(entry, "title")
        assert text(entry, "summary")
        assert links(entry) == {"alternate": f"{archive}/{week}?language={language}"}
    ids = [text(each, "id") for each in (root, *entries)]
    assert len(set(ids)) == 3
    for each in ids:
        assert each == f"urn:uuid:{UUID(each.removeprefix('urn:uuid:'))}"


def test_ids_are_the_same_for_ever() -> None:
    """Readers' programs know an issue by its id: these may not change with any release."""
    root = parsed(feed("ru"))
    assert text(root, "id") == "urn:uuid:3ff4cdbc-81c6-52d7-8fc7-e4b60609f9ce"
    entry = root.find(ATOM + "entry")
    assert entry is not None
    assert text(entry, "id") == "urn:uuid:8b54b2ff-98ed-5896-b14d-66b1528c9975"


def test_ids_do_not_depend_on_where_the_service_stands_and_differ_by_language() -> None:
    moved = write_feed(SENT, BE_RU, "ru", NEWSLETTER, "https://moved.example.com")
    assert text(parsed(moved), "id") == text(parsed(feed("ru")), "id")
    assert text(parsed(feed("be")), "id") != text(parsed(feed("ru")), "id")


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_content_is_the_whole_issue_as_html() -> None:
    entry = parsed(feed("ru")).find(ATOM + "entry")
    assert entry is not None
    (content,) = entry.findall(ATOM + "content")
    assert content.attrib["type"] == "html"
    html = Tags(content.text or "")
    assert "О ценах." in html.words
    assert "Photo <Agency>" in html.words
    assert "▼\N{NO-BREAK SPACE}Ситуация ухудшилась" in html.words
    assert ("div", {"lang": "be"}) in html.seen, "the other language is marked"
    assert {tag for tag, _ in html.seen} <= {"div", "h2", "p", "span", "br", "a", "ul", "li"}
    assert [text(each, "name") for each in entry.findall(ATOM + "author")] == ["A. Author & Co"]


def test_an_empty_feed_is_a_feed() -> None:
    root = parsed(feed("be", []))
    assert root.findall(ATOM + "entry") == []
    assert text(root, "updated") == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize("sign", ["\ufffe", "\uffff", "\U0001f4f0", "]]>", "&amp;", "<b>"])
def test_no_title_breaks_the_feed(sign: str) -> None:
    texts = {"en": {"title": f"A{sign}B", "body": f"C{sign}D"}}
    odd = {"week": "2025-W04", "commentaries": [{**FIRST, "texts": texts}]}
    xml = feed("en", [(SENT[0][0], IssueContent.model_validate(odd))])
    entry = parsed(xml).find(ATOM + "entry")
    assert entry is not None
    kept = "" if sign in "\ufffe\uffff" else sign
    assert text(entry, "summary") == f"A{kept}B"
