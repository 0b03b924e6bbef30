"""How words are compared: lower case, without accents, addresses, brackets, quotes, line breaks.

Phrases of the table and what servers say go through the same mill, so the table can be written as
people write. A phrase has to begin where a word begins; "…" stands for up to 60 characters.
Finding one takes time in proportion to the text, whatever the text is.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

Phrase = tuple[str, ...]

GAP = 60  # characters that "…" may stand for

_UNSPACED = "\u2e80"  # from here on, Chinese and Japanese, which put no space between words
_BEGINNING = re.compile(r"(?<!\w)(?=(\S..))")  # of a word: three characters
_CONTINUED = re.compile(r"(?<![\w.])[245]\d\d-(?:[245]\.\d{1,3}\.\d{1,3}(?=\s))?")  # 550-5.1.1 …
_OCTAL = re.compile(r"(?:\\[0-3][0-7]{2})+")  # how Exim writes what is not ASCII
_LOCAL = r"[\w.!#$%&*+/=?^`{|}~-]"  # an address begins only where a run of these does
_ADDRESS = re.compile(rf"(?<!{_LOCAL}){_LOCAL}+@[\w.-]+(?:{_LOCAL}*@[\w.-]+)*")
_DROPPED = dict.fromkeys(map(ord, "'`´‘’ʼ\u00ad\u200b\ufeff"))
_SPACED = dict.fromkeys(map(ord, '<>()[]{}"«»“”„*|-_=#\\‐‑–—…'), " ")
_MILL = {**_DROPPED, **_SPACED}


def normalise(text: str) -> str:
    """Bring a text into the form that is compared, with a space before and after."""
    folded = _unaccented(_OCTAL.sub(_unescaped, text)).lower()
    plain = _ADDRESS.sub(" ", _CONTINUED.sub(" ", folded))
    return f" {' '.join(plain.translate(_MILL).split())} "


def _unaccented(text: str) -> str:
    """Leave out marks above and below messages: many servers do."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text)
    bare = "".join(message for message in apart if not unicodedata.combining(message))
    return unicodedata.normalize("NFKC", bare)


def _unescaped(match: re.Match[str]) -> str:
    numbers = match[0].split("\\")[1:]
    return bytes(int(number, 8) for number in numbers).decode("utf-8", "replace")


def phrase(words: str) -> Phrase:
    """Cut a phrase of the table at its gaps, each piece as it is compared."""
    return tuple(normalise(piece).strip() for piece in words.split("…"))


class Words:
    """A text to look for phrases in: `worded`, with the beginnings of its words as an index."""

    __slots__ = ("_beginnings", "text")

    def __init__(self, text: str) -> None:
        self.text = normalise(text)
        self._beginnings = set(_BEGINNING.findall(self.text))
        self._beginnings.update(map("".join, _unspaced_pairs(self.text)))

    def say(self, sought: Phrase) -> bool:
        """Whether the phrase is among them."""
        first = sought[0]
        if _beginning(first) not in self._beginnings:  # nearly always, and cheap
            return False
        start = self.text.find(first)
        while start >= 0:
            if self._begins(start) and self._follow(start + len(first), sought[1:]):
                return True
            start = self.text.find(first, start + 1)
        return False

    def _begins(self, start: int) -> bool:
        """Whether a word begins there."""
        text = self.text
        return text[start] >= _UNSPACED or not (text[start - 1].isalnum() and text[start].isalnum())

    def _follow(self, end: int, rest: Phrase) -> bool:
        for piece in rest:
            found = self.text.find(piece, end, end + GAP + len(piece))
            if found < 0 or not self._begins(found):
                return False
            end = found + len(piece)
        return True


def _beginning(word: str) -> str:
    return word[:2] if word[0] >= _UNSPACED else f"{word} "[:3]


def _unspaced_pairs(text: str) -> Iterator[tuple[str, str]]:
    if text.isascii():
        return iter(())
    return ((a, b) for a, b in pairwise(text) if a >= _UNSPACED)
