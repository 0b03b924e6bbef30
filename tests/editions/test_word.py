"""Messages in Outlook for Windows, laid out by Word: nothing rests on what Word ignores.

Which properties Word knows, and on which elements, is Microsoft's own list (Word 2007 HTML and CSS
Rendering Capabilities in Outlook); what it reads and others do not, conditional comments.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from html.parser import HTMLParser

import pytest

from app.newsletter import Newsletter
from app.subscribers import service_message_texts
from tests.editions.messages import a_message

NEWSLETTER = Newsletter.load()
URL = "https://news.example.org"
MESSAGES: dict[str, Callable[[], str]] = {
    "issue": a_message,
    "confirmation": lambda: (
        service_message_texts.confirmation(NEWSLETTER, ["en"], "be", URL, date(2025, 1, 24)).html
    ),
    "manage link": lambda: service_message_texts.manage_link(NEWSLETTER, "ru", URL).html,
    "already subscribed": lambda: (
        service_message_texts.already_subscribed(NEWSLETTER, "en", URL).html
    ),
}

CORE = {
    *("color", "background", "background-color", "border", "border-collapse", "direction"),
    *("font", "font-family", "font-size", "font-style", "font-weight", "message-spacing"),
    *("line-height", "text-align", "text-decoration", "text-transform", "vertical-align"),
    *("white-space", "word-break", "word-spacing"),
}
EXTENDED = CORE | {"text-indent", "margin", "margin-top", "margin-right", "margin-bottom"}
FULL = EXTENDED | {"width", "height", "padding", "padding-top", "padding-left", "border-top"}
KNOWN = {"body": CORE, "span": CORE, "div": EXTENDED, "p": EXTENDED}

# Word ignores these here, and this is why the message can bear it.
BORNE = {
    ("div", "max-width"): "its table in a conditional comment has the width",
    ("div", "width"): "a block is as wide as what it is in",
    ("div", "display"): "columns stand in the cells of a table in a conditional comment",
    ("div", "max-height"): "what is to be hidden is hidden by mso-hide",
    ("div", "overflow"): "the same",
    ("span", "padding"): "the verdict has a blank on each side, too",
    ("span", "border-radius"): "corners may be square",
    ("td", "border-radius"): "the same",
    ("a", "border-radius"): "the same",
    ("td", "cursor"): "nothing depends on it",
    ("a", "display"): "its cell has the padding of the button",
    ("img", "display"): "it stands alone in its paragraph",
    ("img", "max-width"): "its width is an attribute",
    ("p", "border-top"): "the line is drawn by a table in a conditional comment",
    ("p", "width"): "the same",
}
ON_WINDOWS = {"Georgia", "Segoe UI", "Ubuntu"}  # Ubuntu: only where MJML writes no text


class Elements(HTMLParser):
    """The start tags of a message, with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, {name: value or "" for name, value in attrs}))


def as_word_reads(html: str) -> str:
    """Open the conditional comments that are for Word, and drop what is for all others."""
    without = re.sub(r"<!--\[if !mso\]><!-->.*?<!--<!\[endif\]-->", "", html, flags=re.DOTALL)
    return re.sub(
        r"<!--\[if (?:mso \| IE|mso)\]>(.*?)<!\[endif\]-->", r"\1", without, flags=re.DOTALL
    )


def styles(attributes: dict[str, str]) -> Iterator[tuple[str, str]]:
    for declared in attributes.get("style", "").split(";"):
        name, colon, value = declared.partition(":")
        if colon:
            yield name.strip(), value.strip()


def ignored(html: str) -> set[tuple[str, str]]:
    """What Word makes nothing of: elements and their properties."""
    return {
        (tag, name)
        for tag, attributes in Elements(html).seen
        for name, _ in styles(attributes)
        if not name.startswith("mso-") and name not in KNOWN.get(tag, FULL)
    }


@pytest.fixture(scope="module", params=MESSAGES)
def html(request: pytest.FixtureRequest) -> str:
    return MESSAGES[request.param]()


def test_what_word_ignores_is_borne() -> None:
    assert set().union(*(ignored(write()) for write in MESSAGES.values())) == BORNE.keys()


def test_no_value_is_beyond_word(html: str) -> None:
    """Units, colours and functions that came after it; and no !important, which it drops inline."""
    for _, attributes in Elements(html).seen:
        for name, value in styles(attributes):
            assert not re.search(
                r"\d(?:rem|vw|vh|ch)\b|\b(?:rgba?|hsla?|var|calc|url)\(|!", value
            ), name


def test_word_gets_tables_that_close(html: str) -> None:
    """Between conditional comments and the rest, every table, row and cell is closed in order."""
    opened: list[str] = []
    for closing, tag in re.findall(r"<(/?)(table|tbody|tr|td)\b", as_word_reads(html)):
        if closing:
            assert opened.pop() == tag
        else:
            opened.append(tag)
    assert opened == []


def test_what_is_narrow_is_narrow_in_word(html: str) -> None:
    """Word knows no max-width: each such block stands in a table that has the width."""
    blocks = re.findall(r"(.{0,400})<div[^>]*max-width:600px", html, flags=re.DOTALL)
    assert len(blocks) >= 3
    for before in blocks:
        table = before[before.rindex("<!--[if mso | IE]>") :]
        assert re.search(r'<table[^>]* width="600"[^>]*>', table), table
        assert table.endswith("<![endif]-->")


def test_pictures_have_their_size_as_attributes(html: str) -> None:
    for tag, attributes in Elements(html).seen:
        if tag == "img":
            assert 0 < int(attributes["width"]) <= 536
            assert int(attributes["height"]) > 0
            assert attributes["alt"]


def test_what_is_hidden_is_hidden_from_word(html: str) -> None:
    hidden = [
        dict(styles(attributes))
        for _, attributes in Elements(html).seen
        if ("display", "none") in styles(attributes)
    ]
    assert len(hidden) == 1, "the words beside the subject"
    assert hidden[0]["mso-hide"] == "all"
    assert hidden[0]["color"] != hidden[0]["background-color"], "which filters take for a trick"


def test_a_button_is_a_cell_with_ground_and_padding(html: str) -> None:
    cells = [dict(styles(a)) | a for tag, a in Elements(html).seen if tag == "td"]
    buttons = [each for each in cells if "mso-padding-alt" in each]
    assert len(buttons) == html.count('class="button')
    for each in buttons:
        assert each["bgcolor"] == each["background"] == "#1f4e79"
        assert each["mso-padding-alt"] == "14px 28px"


def test_the_first_font_is_one_that_windows_has(html: str) -> None:
    """If it has not, Word takes Times New Roman, whatever else is in the list."""
    families = re.findall(r"font-family:\s*([^;}\"]+)", html)
    first = {each.partition(",")[0].strip("' ") for each in families}
    assert first
    assert first <= ON_WINDOWS
