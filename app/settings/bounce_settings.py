"""What follows from what comes back: the numbers an operator may change, and how they are read.

One line of `name=value` words; what is not named keeps its default, and 0 means never.
"""

import re
from dataclasses import dataclass, replace

from app.settings.values import InvalidValue


@dataclass(frozen=True, slots=True)
class BouncePolicy:
    """When a subscription ends. `sure`, `hard` and `soft` are counts of issues, the rest days."""

    sure: int = 1
    hard: int = 2
    soft: int = 5
    soft_days: int = 21
    dead_days: int = 30


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which share of its letters (0.05 is 5 %) a mailing pauses, if `least` came back."""

    complaint: float = 0.003
    hard: float = 0.05
    block: float = 0.01
    least: int = 3


_Names = tuple[str, ...]
_ISSUES: _Names = ("sure", "hard", "soft", "soft-days", "dead-days")
_SHARES: _Names = ("complaint", "hard", "block")


def bounce_policy(text: str) -> BouncePolicy:
    """Read `sure=1 hard=2 soft=5 soft-days=21 dead-days=30`."""
    given = _pairs(text, _ISSUES)
    return replace(BouncePolicy(), **{_field(name): _whole(v) for name, v in given.items()})


def thresholds(text: str) -> Thresholds:
    """Read `complaint=0.3% hard=5% block=1% least=3`."""
    given = _pairs(text, (*_SHARES, "least"))
    least = max(1, _whole(given.pop("least", str(Thresholds().least))))
    shares = {name: _share(value) for name, value in given.items()}
    return replace(Thresholds(least=least), **shares)  # type: ignore[arg-type]  # no share is `least`


def _field(name: str) -> str:
    return name.replace("-", "_")


def _pairs(text: str, names: _Names) -> dict[str, str]:
    given = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        if not equals or name not in names:
            raise InvalidValue(
                f"must be words such as NAME=VALUE; the names are {', '.join(names)}"
            )
        given[name] = value
    return given


def _whole(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", value, re.ASCII):
        raise InvalidValue("must have whole numbers, such as hard=2")
    return int(value)


def _share(value: str) -> float:
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?%", value, re.ASCII):
        raise InvalidValue("must have shares in per cent, such as hard=5%")
    share = round(float(value[:-1]) / 100, 7)
    if share > 1:
        raise InvalidValue("must have shares of at most 100%")
    return share
