"""CommonMark in messages: what it becomes, and what cannot get through."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mjml import mjml2html

from app.issues.markup import ATTRIBUTES, TAGS, to_html, to_text

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "text <b onclick='x()'>bold</b>",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](java&#10;script:alert(1))",
    "[a](data:text/html;base64,AAAA)",
    "[a](vbscript:x)",
    "[a](file:///etc/passwd)",
    "[a](http://plain.example.org/)",
    "[a](//evil.example.org/x)",
    "[a](/relative)",
    "[a](#fragment)",
    "[a](https://user@evil.example.org/)",
    "[a](https:///nohost)",
    "[a](https://[)",
    "![a](https://evil.example.org/pixel.png)",
    "[![a](https://evil.example.org/pixel.png)](javascript:x)",
    "<javascript:alert(1)>",
    "<mj-raw>x</mj-raw>",
    "<!-- [if mso]><b>x</b><![endif] -->",
    "{{ 7 * 7 }} {% raw %}",
    "[a]: javascript:x\n\n[a]",
]

PIECES = st.lists(
    st.sampled_from(
        [
            *HOSTILE,
            "\n",
            "\n\n",
            "- ",
            "1. ",
            "> ",
            "# ",
            "**",
            "_",
            "`",
            "```\n",
            " ",
            "ў«»",
            "\u00a0",
            "&",
            "<",
            "]",
            "\\",
        ]
    )
    | st.text(max_size=8),
    max_size=25,
).map("".join)


def test_ordinary_text() -> None:
    """Paragraphs, emphasis, lists, quotes, links."""
    html = to_html(
        "One *two* **three**.\n\n- a\n- b\n\n> q\n\n[link](https://example.org/?a=1&b=2)"
    )
    assert html == (
        "<p>One <em>two</em> <strong>three</strong>.</p>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"
        "<blockquote>\n<p>q</p>\n</blockquote>\n"
        '<p><a href="https://example.org/?a=1&amp;b=2">link</a></p>'
    )


def test_headings_stand_below_those_of_the_message() -> None:
    """A message has h1 and h2 already."""
    assert to_html("# A\n\n## B\n\n###### C") == "<h3>A</h3>\n<h4>B</h4>\n<h4>C</h4>"


@pytest.mark.parametrize(
    ("levels", "shown"),
    [("2 2", "3 3"), ("2 3 2 1 2", "3 4 3 3 4"), ("6 1", "3 3"), ("1 3 2", "3 4 4")],
)
def test_no_level_of_headings_is_skipped(levels: str, shown: str) -> None:
    body = "\n\n".join(f"{'#' * int(level)} A" for level in levels.split())
    assert re.findall(r"<h(\d)>", to_html(body)) == shown.split()


def test_breaks_are_closed() -> None:
    """As MJML wants them."""
    assert to_html("a\\\nb\n\n---") == "<p>a<br />\nb</p>\n<hr />"


def test_addresses_written_out_become_links() -> None:
    """Without the sign that ends the sentence, and never within another link."""
    assert 'href="https://example.org/a_b_c"' in to_html("See (https://example.org/a_b_c).")
    assert to_html("[https://example.org/x](https://example.org/y)").count("<a ") == 1
    assert "<a " not in to_html("`https://example.org/x`")


@pytest.mark.parametrize("body", HOSTILE)
def test_nothing_hostile_gets_through(body: str) -> None:
    """Neither a tag nor a link that is not ours to send; the words stay."""
    html = to_html(body)
    assert re.findall(r"<(?!/?(?:p|b)\b)[^>]*>", html.replace("<p>", "").replace("</p>", "")) == []
    assert "href" not in html
    assert "<img" not in html
    assert html


@pytest.mark.parametrize("text", ["javascript:alert(1)", "http://plain.example.org/", "/relative"])
def test_an_unlawful_link_becomes_its_words(text: str) -> None:
    """In both parts."""
    assert to_html(f"see [the report]({text})") == "<p>see the report</p>"
    assert to_text(f"see [the report]({text})") == "see the report"


def test_a_picture_becomes_its_words() -> None:
    """A message fetches nothing."""
    assert to_html("![a map](https://example.org/m.png)") == "<p>a map</p>"
    assert to_text("![a map](https://example.org/m.png)") == "a map"


def allowed(html: str) -> None:
    """Parse as XML, and check every element and attribute."""
    entities = '<!DOCTYPE r [<!ENTITY nbsp "&#160;">]>'
    for element in ET.fromstring(f"{entities}<r>{html}</r>").iter():
        assert element.tag in TAGS | {"a", "r"}
        assert set(element.attrib) <= ATTRIBUTES.get(element.tag, set())
        assert re.match(r"https://|mailto:", element.get("href", "https://"))


PRINTABLE = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@given(PIECES)
def test_output_is_well_formed_and_within_the_list(body: str) -> None:
    """Whatever comes in."""
    allowed(to_html(PRINTABLE.sub("", body)))


@given(PIECES)
def test_mjml_takes_every_output(body: str) -> None:
    """Its parser is strict and would stop an edition."""
    html = to_html(PRINTABLE.sub("", body))
    assert mjml2html(
        f"<mjml><mj-body><mj-section><mj-column><mj-text>{html}</mj-text></mj-column>"
        "</mj-section></mj-body></mjml>",
        fonts={},
    )


@given(PIECES)
def test_every_link_stands_on_a_line_of_its_own(body: str) -> None:
    """What the HTML links to, the text has as a whole line."""
    clean = PRINTABLE.sub("", body)
    lines = to_text(clean).split("\n")
    for href in re.findall(r'href="(https:[^"]+)"', to_html(clean)):
        assert href.replace("&amp;", "&") in lines


def test_text_of_links() -> None:
    """The words stay in the sentence, the addresses follow the paragraph."""
    body = "As [they wrote](https://example.org/a), see <https://example.com/b>.\n\nNext."
    assert to_text(body) == (
        "As they wrote, see example.com.\nhttps://example.org/a\nhttps://example.com/b\n\nNext."
    )
    assert to_text("<me@example.org>") == "me@example.org\nme@example.org"


def test_text_of_lists() -> None:
    """Numbers go on from where the list starts; nested items are indented."""
    assert to_text("- a\n- b\n  1. c\n  2. d\n\nend") == "• a\n• b\n\n  1. c\n  2. d\n\nend"
    assert to_text("3. a\n4. b") == "3. a\n4. b"
    assert to_text("1. a\n\n   more\n2. b") == "1. a\n\n   more\n2. b"


def test_text_of_quotes_headings_code_and_rules() -> None:
    """Readable without any HTML."""
    assert to_text("# Head\n\n> a\n> b\n\n```\nx <y>\n```\n\n---\n\n**c** *d* `e`") == (
        "Head\n\n> a b\n\n    x <y>\n\n* * *\n\nc d e"
    )


def test_text_keeps_native_signs() -> None:
    """Quotes, dashes, apostrophes and no-break spaces as written."""
    assert to_text("«Аб’ява» — і\u00a0ўсё…") == "«Аб’ява» — і\u00a0ўсё…"
