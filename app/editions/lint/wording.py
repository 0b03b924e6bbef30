"""Findings about words: subject, titles and bodies; pure.

What a language's letters and loud phrases are is data beside its phrases (`wording.toml`), so a
newsletter in another language needs no code here, and without such a file loses only these hints.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple
from unicodedata import name

from app.editions.lint.finding import Finding, error, quoted, warning
from app.issues.content import Text
from app.issues.markup import parse
from app.languages import CATALOGUES
from app.text_safety import is_plain

LONGEST_SUBJECT = 78  # characters: longer ones are cut even on wide screens
SHORTEST_PREHEADER = 40  # characters: what is left is filled from the letter's first words
ENOUGH = 20  # letters, before anything can be said of their language
SHORTEST_SHOUT = 12  # letters: a few abbreviations in a row are none

HINTS = (
    (re.compile(r'"'), "straight quotation marks"),
    (re.compile(r"(?<=\w)'(?=\w)"), "straight apostrophes"),
    (re.compile(r"(?<=\S) --? (?=\S)|--"), "hyphens where dashes belong"),
)


class Writing(NamedTuple):
    """How a language is written: its script, letters that its neighbours lack, loud phrases."""

    script: str | None = None
    letters: str = ""
    loud: tuple[str, ...] = ()


@cache
def writings() -> Mapping[str, Writing]:
    """Return how each language is written of which we know it."""
    return {
        path.parent.name: Writing(**tomllib.loads(path.read_text(encoding="utf-8")))
        for path in sorted(CATALOGUES.glob("*/wording.toml"))
    }


@cache
def _loud_phrases() -> re.Pattern[str]:
    return re.compile("|".join(each for one in writings().values() for each in one.loud))


def on_subject(where: str, subject: str) -> Iterator[Finding]:
    """Look at a letter's subject."""
    if not subject.strip():
        yield error(where, "the subject is empty")
    if not is_plain(subject):
        yield error(where, "the subject holds control characters")
    if len(subject) > LONGEST_SUBJECT:
        yield warning(where, f"the subject is longer than {LONGEST_SUBJECT} characters")
    yield from _loud(where, subject)


def on_preheader(where: str, preheader: str) -> Iterator[Finding]:
    """Look at what lists of letters show beside the subject; a long one is cut in rendering."""
    if len(preheader) < SHORTEST_PREHEADER:
        yield warning(
            where, f"the titles give less than {SHORTEST_PREHEADER} characters beside the subject"
        )


def on_text(where: str, text: Text, language: str) -> Iterator[Finding]:
    """Look at a commentary's title and body in this language."""
    yield from _loud(f"{where}.title", text.title)
    body = words_of(text.body)
    if _is_foreign(f"{text.title} {body}", language):
        yield warning(where, f"this does not look like a text in the language {language!r}")
    for part, words in (("title", text.title), ("body", body)):
        if hints := [hint for pattern, hint in HINTS if pattern.search(words)]:
            yield warning(f"{where}.{part}", f"it has {' and '.join(hints)}")


def words_of(body: str) -> str:
    """The words of a body as readers see them, without code and what links lead to."""
    children = [child for token in parse(body) for child in token.children or []]
    # A code span is written as it must be typed, quotes and hyphens included.
    return "".join(child.content if child.type == "text" else " " for child in children)


def _loud(where: str, words: str) -> Iterator[Finding]:
    letters = [sign for sign in words if sign.isalpha()]
    if len(letters) >= SHORTEST_SHOUT and sum(map(str.isupper, letters)) > 0.7 * len(letters):
        yield warning(where, "it is in capitals, as unwanted mail often is")
    if words.count("!") > 1:
        yield warning(where, "it has more than one exclamation mark, as unwanted mail often has")
    if found := _loud_phrases().search(words):
        yield warning(where, f"it has the words of unwanted mail: {quoted(found[0])}")


def _is_foreign(words: str, language: str) -> bool:
    letters = [sign for sign in words.lower() if sign.isalpha()]
    written = writings().get(language, Writing())
    if written.script is None or len(letters) < ENOUGH:
        return False
    if 2 * sum(name(sign, "").startswith(written.script) for sign in letters) < len(letters):
        return True
    own = _count(letters, written.letters)
    others = (_count(letters, each.letters) for each in writings().values() if each != written)
    return bool(written.letters) and any(other > own for other in others)


def _count(letters: list[str], signs: str) -> int:
    return sum(sign in signs for sign in letters)
