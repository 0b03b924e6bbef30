"""Every regular expression of the code, where it stands, and how it is used; and what it costs.

A pattern that is made at run time cannot be read here: it is listed beside the test instead.
"""

import ast
import heapq
import importlib
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.hostile_texts import hostile_texts

ROOT = Path(__file__).parents[2]
METHODS = {"match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
SMALL, TIMES = 1_000, 8  # characters of a text, and how much longer the long one is
WORST = 4  # texts of a pattern that are tried in both lengths


@dataclass(frozen=True)
class Used:
    """A pattern and one way in which the code uses it; `where` is a file and a name or a line."""

    where: str
    pattern: "re.Pattern[Any]"
    method: str

    def __str__(self) -> str:
        return f"{self.where} {self.method}"

    @property
    def call(self) -> Callable[[str], object]:
        """Use the pattern on a text, to the end."""
        binary = isinstance(self.pattern.pattern, bytes)
        method = getattr(self.pattern, self.method)

        def use(text: str) -> object:
            given = text.encode("latin-1", "replace") if binary else text
            if self.method in ("sub", "subn"):
                return method(given[:0], given)
            found = method(given)
            return list(found) if self.method == "finditer" else found

        return use

    def texts(self, size: int) -> Iterator[str]:
        """Hostile texts of this size."""
        source, flags = self.pattern.pattern, self.pattern.flags
        if isinstance(source, bytes):
            source = source.decode("latin-1")
        return hostile_texts(source, flags & ~re.UNICODE, size)


def in_code() -> tuple[list[Used], set[str]]:
    """Return the patterns of app/, and where one is made of what only the run time knows."""
    used: list[Used] = []
    unread: set[str] = set()
    for path in sorted((ROOT / "app").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = list(_calls(tree))
        if not calls:
            continue
        name = str(path.relative_to(ROOT))
        module = importlib.import_module(name.removesuffix(".py").replace("/", "."))
        for function, call, target in calls:
            try:
                pattern = _compiled(call, vars(module))
            except NameError:
                unread.add(f"{name} {function}")
                continue
            if call.func.attr in METHODS:  # type: ignore[attr-defined]  # it was looked at
                methods = {call.func.attr}  # type: ignore[attr-defined]
            else:
                methods = _uses(path, target) or {"match", "search", "fullmatch"}
            used += [Used(f"{name} {target or function}", pattern, each) for each in methods]
    return used, unread


def _calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call, str]]:
    """Yield each call of `re`: the function around it, the call, and the name it is bound to."""
    names = {
        id(node.value): node.targets[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    inside: dict[int, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside |= {id(each): node.name for each in ast.walk(node)}
    for node in ast.walk(tree):
        if _is_of_re(node, METHODS | {"compile"}):
            assert isinstance(node, ast.Call)
            yield inside.get(id(node), "module"), node, names.get(id(node), "")


def _is_of_re(node: ast.AST, attributes: set[str]) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr in attributes
    )


def _compiled(call: ast.Call, names: dict[str, Any]) -> "re.Pattern[Any]":
    """Compile what the call names, as its module would. Raises NameError."""
    places = {"compile": 1, "match": 2, "search": 2, "fullmatch": 2, "findall": 2, "finditer": 2}
    assert isinstance(call.func, ast.Attribute)
    flags: list[ast.expr] = [word.value for word in call.keywords if word.arg == "flags"]
    flags += call.args[places.get(call.func.attr, 9) :][:1]
    source, *given = (
        eval(compile(ast.Expression(each), "a pattern", "eval"), dict(names))
        for each in (call.args[0], *flags)
    )
    return re.compile(source, *given)


def _uses(path: Path, name: str) -> set[str]:
    """By which methods a pattern of this name is used: in its own file only, if it is private."""
    files = [path] if name.startswith("_") else (ROOT / "app").rglob("*.py")
    return set().union(*(_methods(each)[name] for each in files))


@cache
def _methods(path: Path) -> dict[str, set[str]]:
    """The methods of `re.Pattern` that a file names, by what stands before the dot."""
    found: dict[str, set[str]] = defaultdict(set)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in METHODS:
            owner = node.value
            found[getattr(owner, "id", getattr(owner, "attr", ""))].add(node.attr)
    return found


def pydantic_patterns() -> list[Used]:
    """Return the patterns of fields: the keyword `pattern` of any call, and that key of a dict."""
    used = []
    for path in sorted((ROOT / "app").rglob("*.py")):
        name = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                values = [word.value for word in node.keywords if word.arg == "pattern"]
            elif isinstance(node, ast.Dict):
                keys = [getattr(key, "value", None) for key in node.keys]
                values = [node.values[keys.index("pattern")]] if "pattern" in keys else []
            else:
                continue
            for value in values:
                source = ast.literal_eval(value)
                used.append(Used(f"{name} {source}", re.compile(source), "search"))
    return used


def seconds(call: Callable[[str], object], text: str, tries: int = 1) -> float:
    """CPU time of this thread for one call, the least of some tries."""
    least = float("inf")
    for _ in range(tries):
        begun = time.thread_time()
        call(text)
        least = min(least, time.thread_time() - begun)
    return least


def growth(used: Used) -> tuple[float, float, str]:
    """Return how much longer an eight times longer text takes, and what one of its signs costs.

    The cost is told in those of a plain scan; the third is the text for which it is worst.
    """
    call = used.call
    for text in used.texts(22):  # what doubles with each character would never end
        if seconds(call, text) > 0.01 and seconds(call, text, 3) > 0.01:
            return float("inf"), float("inf"), text
    short = dict(_costly(used))
    found = (0.0, 0.0, "")
    for place, text in enumerate(used.texts(SMALL * TIMES)):
        if place in short:
            long = seconds(call, text, 2)
            found = max(found, (long / seconds(call, short[place], 3), long, text))
    times, long, text = found
    return times, long / (SMALL * TIMES) / _scan(), text


def _costly(used: Used) -> list[tuple[int, str]]:
    """Return the texts on which most work is done, with their places; fewer if it is too much."""
    found: list[tuple[float, int, str]] = []
    call = used.call
    for place, text in enumerate(used.texts(SMALL)):
        found = heapq.nlargest(WORST, [*found, (seconds(call, text), place, text)])
        if len(found) == WORST and found[-1][0] > 400 * SMALL * _scan():
            break
    return [(place, text) for _, place, text in found]


@cache
def _scan() -> float:
    """What a plain pattern takes for a character, in seconds."""
    plain = re.compile(r"(?:[ab]|c)*d")
    return seconds(plain.match, "abcc" * 4_000, 20) / 16_000
