"""The table of rules (`rules.toml`): read once, checked when read, and asked from the top."""

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from app.mail.classification.bounce_class import Class
from app.mail.classification.normalise import Phrase, Words, phrase

TABLE = Path(__file__).with_name("rules.toml")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a server said: reply code and enhanced code, "" if it named none, and its words."""

    code: str
    status: str
    words: Words


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table. What is left empty matches anything; all else must match.

    `code` and `status` are patterns ("5??", "5.1.*"), several apart by a space. `sure` rules are
    enough to act upon; a `guess` speaks only if no other evidence of a report says more.
    """

    class_: Class
    reason: str
    source: str
    examples: tuple[str, ...]
    says: tuple[Phrase, ...] = ()
    unless: tuple[Phrase, ...] = ()
    code: str = ""
    status: str = ""
    sure: bool = False
    guess: bool = False

    def matches(self, seen: Evidence) -> bool:
        """Whether this rule speaks of what was seen."""
        return (
            _fits(self.code, seen.code)
            and _fits(self.status, seen.status)
            and (not self.says or any(seen.words.say(each) for each in self.says))
            and not any(seen.words.say(each) for each in self.unless)
        )


def _fits(patterns: str, value: str) -> bool:
    return not patterns or any(fnmatchcase(value, pattern) for pattern in patterns.split())


@cache
def rules() -> tuple[Rule, ...]:
    """Read the table. A misspelt key or class fails here, so at the first test."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))["rule"]
    return tuple(_rule(**row) for row in table)


def _rule(**row: Any) -> Rule:
    row["class_"], row["examples"] = Class(row.pop("class")), tuple(row["examples"])
    for key in ("says", "unless"):
        row[key] = tuple(map(phrase, row.get(key, ())))
    return Rule(**row)
