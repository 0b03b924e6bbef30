"""Texts that make a regular expression work hardest, made from its own parse tree.

For each pattern: what it repeats, over and over, after what has to stand before, and with an end
that spoils the match at the last moment. Also every pair of the signs that it tells apart.
"""

import itertools
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import sre_constants as kinds
    import sre_parse

_CATEGORIES = {
    kinds.CATEGORY_DIGIT: "7",
    kinds.CATEGORY_NOT_DIGIT: "x",
    kinds.CATEGORY_SPACE: " ",
    kinds.CATEGORY_NOT_SPACE: "x",
    kinds.CATEGORY_WORD: "w",
    kinds.CATEGORY_NOT_WORD: "-",
}
_OUTSIDERS = "\x01€"  # what hardly any pattern names
_SPOILERS = ("", "\x01", "\n", " @")
_CHOSEN = 14  # signs of one pattern's alphabet that are tried
_PAIRED = 8  # of them in pairs
_BEGINNINGS = 6
_REPEATS = (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT)
Tree = Any  # the standard library has no types for it


def hostile_texts(pattern: str, flags: int, size: int) -> Iterator[str]:
    """Yield texts of about `size` characters for this pattern, in the same order for every size."""
    tree = sre_parse.parse(pattern, flags & ~re.DEBUG)
    signs = _alphabet(tree)
    pairs = ["".join(pair) for pair in itertools.permutations(signs[:_PAIRED], 2)]
    samples = [*_repeated(tree), _sample(tree, 0), _sample(tree, 1), _sample(tree, 2)]
    beginnings = list(dict.fromkeys(["", *_beginnings(tree)]))[:_BEGINNINGS]
    words = dict.fromkeys([*signs, *filter(None, samples)])
    for word, beginning, spoiler in itertools.product(words, beginnings, [*_SPOILERS, *signs]):
        yield beginning + word * (size // len(word)) + spoiler
    for word, beginning, spoiler in itertools.product(pairs, beginnings, _SPOILERS):
        yield beginning + word * (size // 2) + spoiler
    # What begins again and again: a search starts anew at each of them.
    for beginning, word, end in itertools.product(beginnings, words, ["", " ", "\n"]):
        whole = beginning + word * 2 + end
        yield whole * (size // len(whole))


def _alphabet(tree: Tree) -> Sequence[str]:
    """The signs that a pattern tells apart, one for each of its sets, and two that it does not."""
    found: dict[str, None] = {}
    for kind, value in _nodes(tree):
        if kind is kinds.LITERAL:
            found[chr(value)] = None
        elif kind is kinds.IN:
            for sign in _members(value):
                found[sign] = None
        elif kind is kinds.NOT_LITERAL:
            found[chr(value)] = None
    common = [sign for sign in "a7 @.<\n" if sign not in found]
    kept = [*found][:_CHOSEN]
    return [*kept, *common[: max(3, _CHOSEN - len(kept))], *_OUTSIDERS]


def _members(items: Tree) -> Iterator[str]:
    for kind, value in items:
        if kind is kinds.LITERAL:
            yield chr(value)
        elif kind is kinds.RANGE:
            yield chr(value[0])
            yield chr(value[1])
        elif kind is kinds.CATEGORY:
            yield _CATEGORIES[value]


def _nodes(tree: Tree) -> Iterator[tuple[Any, Any]]:
    """Every node of the tree, in the order of the pattern."""
    for kind, value in tree:
        yield kind, value
        for inner in _inner(kind, value):
            yield from _nodes(inner)


def _inner(kind: Any, value: Any) -> Iterator[Tree]:
    if kind in _REPEATS:
        yield value[2]
    elif kind is kinds.SUBPATTERN:
        yield value[-1]
    elif kind is kinds.ATOMIC_GROUP:
        yield value
    elif kind is kinds.BRANCH:
        yield from value[1]
    elif kind in (kinds.ASSERT, kinds.ASSERT_NOT):
        yield value[1]
    elif kind is kinds.GROUPREF_EXISTS:
        yield from filter(None, value[1:])


def _repeated(tree: Tree) -> Iterator[str]:
    """What each repetition repeats: its shortest form, and one in which each part is there."""
    for kind, value in _nodes(tree):
        if kind in _REPEATS:
            for way in range(3):
                yield _sample(value[2], way)


def _beginnings(tree: Tree) -> Iterator[str]:
    """What leads up to each repetition, from the pattern's begin."""
    before = ""
    for kind, value in tree:
        if kind in _REPEATS:
            yield before
        for inner in _inner(kind, value):
            for each in _beginnings(inner):
                yield before + each
        before += _sample([(kind, value)], 1)
    yield before


def _sample(tree: Tree, way: int) -> str:
    """A text that the tree matches; `way` chooses among its branches, signs and numbers."""
    made = ""
    for kind, value in tree:
        if kind is kinds.LITERAL:
            made += chr(value)
        elif kind is kinds.NOT_LITERAL:
            made += "x" if chr(value) != "x" else "y"
        elif kind is kinds.ANY:
            made += "x"
        elif kind is kinds.IN:
            made += _of_set(value, way)
        elif kind in _REPEATS:
            least, most, inner = value
            made += _sample(inner, way) * max(least, min(int(most), way))
        elif kind is kinds.BRANCH:
            made += _sample(value[1][way % len(value[1])], way)
        elif kind is kinds.SUBPATTERN or kind is kinds.ATOMIC_GROUP:
            made += _sample(value[-1] if kind is kinds.SUBPATTERN else value, way)
    return made


def _of_set(items: Tree, way: int) -> str:
    negated = items[0][0] is kinds.NEGATE
    members = list(_members(items))
    if not negated:
        return members[way % len(members)]
    return next(sign for sign in "xa7-. \x01" if sign not in members)
