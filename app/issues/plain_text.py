"""Parsed CommonMark as plain text that reads as if it had been typed as such.

No line is wrapped: phones and windows have every width. A link's address follows its paragraph, on
a line of its own and without a list's or quotation's indent, so that it can be clicked and copied.
"""

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from markdown_it.token import Token


def plain_text(tokens: Iterable[Token]) -> str:
    """Write down the block tokens of a document."""
    lines = Lines()
    for token in tokens:
        lines.take(token)
    return lines.text()


class Lines:
    """Gathers plain text from tokens: paragraphs apart, list items and quotes marked."""

    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._prefix: list[str] = []
        self._mark = ""
        self._numbers: list[int | None] = []
        self._tight = False

    def text(self) -> str:
        """Return what was gathered."""
        return "".join(self._blocks).strip("\n")

    def take(self, token: Token) -> None:
        """Write one block token; those without a method of their name leave no trace."""
        act = getattr(self, f"_{token.type}", None)
        if act is not None:
            act(token)

    def _inline(self, token: Token) -> None:
        written, links = _inline_text(token.children or [])
        self._put(written.split("\n"), links)

    def _put(self, lines: Sequence[str], links: Sequence[str] = ()) -> None:
        """Write a block; its first line may carry a list item's mark, its links no prefix."""
        if self._blocks:
            self._blocks.append("\n" if self._tight and self._mark else "\n\n")
        first, rest = self._prefixes()
        marked = [(first if not at else rest) + line for at, line in enumerate(lines)]
        self._blocks.append("\n".join(line.rstrip() for line in (*marked, *links)))
        self._tight = True

    def _prefixes(self) -> tuple[str, str]:
        rest = "".join(self._prefix)
        first = rest[: len(rest) - len(self._mark)] + self._mark if self._mark else rest
        self._mark = ""
        return first, rest

    def _bullet_list_open(self, _: Token) -> None:
        self._numbers.append(None)
        self._tight = False

    def _ordered_list_open(self, token: Token) -> None:
        self._numbers.append(int(token.attrGet("start") or 1))
        self._tight = False

    def _bullet_list_close(self, _: Token) -> None:
        self._numbers.pop()

    _ordered_list_close = _bullet_list_close

    def _list_item_open(self, _: Token) -> None:
        number = self._numbers[-1]
        self._mark = "• " if number is None else f"{number}. "
        self._numbers[-1] = None if number is None else number + 1
        self._prefix.append(" " * len(self._mark))

    def _list_item_close(self, _: Token) -> None:
        self._prefix.pop()
        self._mark = ""

    def _blockquote_open(self, _: Token) -> None:
        self._prefix.append("> ")

    def _blockquote_close(self, _: Token) -> None:
        self._prefix.pop()

    def _fence(self, token: Token) -> None:
        self._put([f"    {line}" for line in token.content.rstrip("\n").split("\n")])

    _code_block = _fence

    def _hr(self, _: Token) -> None:
        self._put(["* * *"])


def _inline_text(children: Sequence[Token]) -> tuple[str, list[str]]:
    """The words of a paragraph, and what its links lead to, in order."""
    words: list[str] = []
    links: list[str] = []
    shown = False
    for token in children:
        if token.type == "link_open":
            links.append(str(token.attrGet("href")).removeprefix("mailto:"))
            # A link that shows its own address would stand in mid-sentence: say its host there.
            shown = token.info == "auto"
            if shown:
                words.append(_named(links[-1]))
        elif token.type == "link_close":
            shown = False
        elif token.type in ("softbreak", "hardbreak"):
            words.append("\n" if token.type == "hardbreak" else " ")
        elif not shown:
            words.append(token.content)
    return "".join(words), links


def _named(link: str) -> str:
    return urlsplit(link).hostname or link
