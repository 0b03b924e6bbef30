"""Findings about links: where they lead, and whether they say so; pure.

Rendering turns a link that no message may carry into plain words. An editor who is not told would
send readers a link that is not there.
"""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import SplitResult, unquote, urlsplit

from markdown_it.token import Token

from app.editions.lint.finding import Finding, error, quoted, warning
from app.issues.markup import MARKDOWN, may_link, parse

# Words that are an address, as far as a reader or a spam filter can tell.
_SHOWN = re.compile(
    r"https?://\S+|(?<![\w.-])(?:[\w-]+\.)+[^\W\d_]{2,}(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE
)
_MAILBOX = re.compile(r"[^\s@]+@[^\s@.]+\.[^\s@]+")
_HREF = re.compile(r'\bhref="([^"]*)"')
_SRC = re.compile(r'\bsrc="([^"]*)"')
_PLAIN = re.compile(r"\bhttp://\S+", re.IGNORECASE)


def on_links(where: str, body: str) -> Iterator[Finding]:
    """Look at the links of a body: first as they are written, then as they will stand."""
    for href, words in links_of(MARKDOWN.parse(body)):
        yield from _written(where, href, words)
    kept = list(links_of(parse(body)))
    for href, words in kept:
        yield from _kept(where, href, words)
    for token in MARKDOWN.parse(body):
        for child in token.children or []:
            if child.type == "image":
                yield warning(where, "a picture in a text is not shown, only its description")
            elif child.type == "text" and _PLAIN.search(child.content):
                yield warning(where, "a plain http:// address is not made a link")


def on_message(where: str, html: str, public_url: str) -> Iterator[Finding]:
    """Look at every link of the rendered message, whoever wrote it."""
    for href in _HREF.findall(html):
        if not href.startswith(("https://", "mailto:", "#", f"{public_url}/")):
            yield error(where, "a link of the message does not begin with https://")
    for src in _SRC.findall(html):
        # A picture from elsewhere, or of one reader's own, would tell who reads.
        if not src.startswith(("cid:", f"{public_url}/photos/")):
            yield error(where, "a picture of the message is not one of the issue's photos")


def links_of(tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Give (what it leads to, the words it shows) of each link."""
    for token in tokens:
        href, words = None, ""
        for child in token.children or []:
            if child.type == "link_open":
                href, words = str(child.attrGet("href") or ""), ""
            elif child.type == "link_close" and href is not None:
                yield href, words
                href = None
            elif href is not None:
                words += child.content


def _written(where: str, href: str, words: str) -> Iterator[Finding]:
    link = f"the link {quoted(words)}" if words.strip() else "a link without words"
    if not words.strip():
        yield error(where, "a link shows no words, so nobody can see or follow it")
    if href.partition(":")[0] not in {"https", "mailto"}:
        yield error(where, f"{link} does not begin with https://")
    elif not may_link(href):
        yield error(where, f"{link} leads nowhere: its address is malformed")


def _kept(where: str, href: str, words: str) -> Iterator[Finding]:
    if _is_another(words.strip(), href):
        yield error(where, f"the link {quoted(words)} shows another address than it leads to")
    parts = urlsplit(href)
    host = parts.hostname or ""
    if parts.scheme == "https" and ("." not in host or host.endswith((".localhost", ".local"))):
        yield warning(where, f"the link {quoted(words)} leads to a host that readers cannot reach")
    if "%20" in href or " " in unquote(parts.netloc):
        yield warning(where, f"the link {quoted(words)} has a space in its address")


def _is_another(words: str, href: str) -> bool:
    """Tell whether the words are an address, and not that of the link."""
    if _MAILBOX.fullmatch(words.removeprefix("mailto:")):
        shown = words.removeprefix("mailto:").casefold()
        return shown != unquote(urlsplit(href).path).casefold()
    if not _SHOWN.fullmatch(words):
        return False
    shown = re.sub(r"(?i)^https?://", "", words).rstrip("/….")
    try:
        said, meant = (
            urlsplit(MARKDOWN.normalizeLink(f"https://{each}"))
            for each in (shown, href.removeprefix("https://"))
        )
    except ValueError:
        return True
    return not (_same_host(said.hostname, meant.hostname) and _tail(meant).startswith(_tail(said)))


def _same_host(said: str | None, meant: str | None) -> bool:
    """A host may be called by the domain it is in: filters and readers take that for the same."""
    short, whole = ((host or "").removeprefix("www.") for host in (said, meant))
    return whole == short or whole.endswith(f".{short}")


def _tail(parts: SplitResult) -> str:
    tail = parts._replace(scheme="", netloc="").geturl()
    return unquote(tail).rstrip("/…")
