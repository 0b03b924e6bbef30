"""A commentary's body, CommonMark, as HTML and as plain text; both from one parse.

Whatever an editor or an attacker writes, the HTML holds only the tags below, links only to https
and mailto, no picture, and is well-formed enough for MJML's strict parser. Raw HTML is text.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.issues.plain_text import plain_text

HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")


class _Markdown(MarkdownIt):
    """CommonMark that takes every link for a link: which of them are lawful is decided here."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        return True


MARKDOWN = _Markdown("commonmark", {"html": False})

TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "blockquote", "h3", "h4", "pre", "code", "hr"}
ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
SCHEMES = {"https", "mailto"}

# A message's own headings are h1 and h2, so those of a body begin below: h3, and h4 under an h3.
HIGHEST, LOWEST = 3, 4

# An address written out in the text; the sign that ends the sentence is not part of it.
BARE_LINK = re.compile(r"https://[^\s<>\"«»“”„]*[^\s<>\"«»“”„.,:;!?…)\]'’]")


def to_html(body: str) -> str:
    """Render CommonMark to safe HTML, for a message or a page."""
    return "\n".join(to_blocks(body))


def to_blocks(body: str) -> list[str]:
    """Render CommonMark to safe HTML, one paragraph, list or other block after the other."""
    return [html for html in map(_rendered, _blocks(parse(body))) if html]


def _blocks(tokens: Iterable[Token]) -> Iterator[list[Token]]:
    """Cut where nothing is open: after each block that stands in no other."""
    block: list[Token] = []
    for token in tokens:
        block.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield block
            block = []


def _rendered(tokens: Sequence[Token]) -> str:
    html = MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})
    safe = nh3.clean(
        html, tags=TAGS | {"a"}, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel=None
    )
    return safe.replace("<br>", "<br />").replace("<hr>", "<hr />").strip()


def to_text(body: str) -> str:
    """Render CommonMark to plain text; what a link leads to stands on a line of its own."""
    return plain_text(parse(body))


def parse(body: str) -> list[Token]:
    """The tokens of a body, with only such links as a message may carry."""
    tokens = MARKDOWN.parse(body)
    _lower_headings(tokens)
    for token in tokens:
        if token.children:
            token.children = list(_lawful(token.children))
    return tokens


def _lower_headings(tokens: Iterable[Token]) -> None:
    """Give each heading its place below the title; none is left out on the way (WCAG 1.3.1).

    What an editor's first heading is, one # or two, says nothing: only what stands under what.
    """
    above: list[str] = []
    for token in tokens:
        if token.type == "heading_open":
            while above and above[-1] >= token.tag:
                above.pop()
            above.append(token.tag)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(HIGHEST + len(above) - 1, LOWEST)}"


def _lawful(children: Sequence[Token]) -> Iterator[Token]:
    """Pass on inline tokens; pictures and unlawful links become their text."""
    inside: list[bool] = []
    for token in children:
        if token.type == "link_open":
            inside.append(may_link(str(token.attrGet("href") or "")))
            token.attrs = {"href": str(token.attrGet("href") or "")}
        if token.type == "image":
            yield Token("text", "", 0, content=token.content)
        elif token.type in ("link_open", "link_close"):
            if inside[-1]:
                yield token
            if token.type == "link_close":
                inside.pop()
        elif token.type == "text" and not any(inside):
            yield from _with_links(token.content)
        else:
            yield token


def may_link(href: str) -> bool:
    """Tell whether a message may carry this link: https with a plain host, or a mail address."""
    try:
        parts = urlsplit(href)
        _ = parts.port
    except ValueError:
        return False
    if parts.scheme == "https":
        return not parts.username and HOST.fullmatch(parts.hostname or "") is not None
    return parts.scheme == "mailto" and "@" in parts.path


def _with_links(text: str) -> Iterator[Token]:
    end = 0
    for found in BARE_LINK.finditer(text):
        href = MARKDOWN.normalizeLink(found[0])
        if not may_link(href):
            continue
        yield Token("text", "", 0, content=text[end : found.start()])
        yield Token("link_open", "a", 1, attrs={"href": href}, info="auto")
        yield Token("text", "", 0, content=found[0])
        yield Token("link_close", "a", -1, info="auto")
        end = found.end()
    yield Token("text", "", 0, content=text[end:])
