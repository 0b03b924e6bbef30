"""Every pattern takes time in proportion to the text, whatever the text is.

Else a request, a reply or a bounce of some kilobytes holds a whole process for seconds. Each is
tried with texts made from it (`tests/support/hostile_texts.py`), and with such that are eight times
as long.
"""

import fnmatch
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from app.mail import replies
from app.mail.classification.rules import rules
from app.mail.message import placeholders
from app.mail.reports.heuristics import FIELDS
from tests.support.patterns import TIMES, Used, growth, in_code, pydantic_patterns

PACKAGES = sorted(
    path.parent.name for path in (Path(__file__).parents[2] / "app").glob("*/__init__.py")
)
SLOT = placeholders.Placeholder("unsubscribe", 0, 120)
PATHS = ("/unsubscribe/{token}", "/archive/{segment}/{week}", "/v1/issues/{week}/versions/{number}")
LOCAL_PARTS = ("ann", "a" * 64, "ann.ann.ann+ann", "анна")


def growing() -> float:
    """How many times longer an eight times longer text may take: a quadratic one takes 64."""
    return 2.2 * TIMES


def built() -> dict[str, list[Used]]:
    """What is made of what only the run time knows: by the function that makes it."""
    fits = [placeholders.in_body(SLOT)]
    fits_in_headers = [placeholders.in_header(name, SLOT) for name in ("list-unsubscribe", "to")]
    codes = {rule.code for rule in replies.RULES} | {rule.enhanced for rule in replies.RULES}
    templates = [re.sub(r"\\\{[^/{}]*\\\}", "[^/]+", re.escape(path)) for path in PATHS]
    alone = [rf"(?i)(?<![^\W_]){re.escape(part)}(?![^\W_])" for part in LOCAL_PARTS]
    made = {
        "app/demo/messages.py confirm_link": [rf"{re.escape('http://a.example')}/confirm/\S+"],
        "app/mail/message/placeholders.py in_body": [fit.shape.pattern for fit in fits],
        "app/mail/message/placeholders.py in_header": [
            fit.shape.pattern for fit in fits_in_headers
        ],
        "app/mail/redaction.py without_addresses": alone,
        "app/mail/replies.py matches": [*filter(None, codes)],
        "app/mail/reports/heuristics.py weigh": [f"(?i){each.begins}" for each in FIELDS],
        "app/web/openapi.py methods_of": templates,
    }
    ways = {
        "app/demo/messages.py confirm_link": "search",
        "app/mail/redaction.py without_addresses": "sub",
    }
    ways["app/mail/reports/heuristics.py weigh"] = "match"
    return {
        place: [Used(place, re.compile(each), ways.get(place, "fullmatch")) for each in sources]
        for place, sources in made.items()
    }


def globs() -> Iterator[Used]:
    """The code and status of each rule, as they are compared."""
    for each in {word for rule in rules() for word in f"{rule.code} {rule.status}".split()}:
        yield Used(f"rules.toml {each}", re.compile(fnmatch.translate(each)), "match")


@cache
def everything() -> list[Used]:
    used, _ = in_code()
    made = [each for several in built().values() for each in several]
    return [*used, *made, *globs(), *pydantic_patterns()]


def slow(patterns: list[Used]) -> list[str]:
    """Those of the patterns that grow faster than their texts, or look at a sign too often."""
    found = []
    for used in patterns:
        times, cost, text = growth(used)
        if (times > growing() and cost > 20) or cost > 400:
            found.append(f"{used}: {times:.0f} times as long, {cost:.0f} a sign, by {text[:30]!r}")
    return found


def test_what_is_made_at_run_time_is_listed_here() -> None:
    assert in_code()[1] == set(built())


def test_patterns_are_found_in_every_kind_of_place() -> None:
    places = {str(used) for used in everything()}
    assert "app/log.py _RUN sub" in places
    assert "app/mail/redaction.py without_addresses sub" in places
    assert any(place.startswith("app/newsletter.py ^[a-z0-9]") for place in places)
    assert len(places) > 150


@pytest.mark.parametrize("package", [*PACKAGES, "-"])
def test_every_pattern_is_linear(package: str) -> None:
    assert slow([used for used in everything() if package_of(used) == package]) == []


def package_of(used: Used) -> str:
    """The package in which it stands; "-" for what stands in none."""
    parts = used.where.split()[0].split("/")
    return parts[1] if parts[1:-1] else "-"


@pytest.mark.parametrize(
    ("source", "method"),
    [
        (r"[^\s@]+@", "search"),
        (r'(?:[^,"]|"(?:[^"\\]|\\.)*")+', "findall"),
        (r"\s+$", "sub"),
        (r"q=\d*[1-9]\d*", "fullmatch"),
        (r"(?:a+)+b", "match"),
        (r"(?:x|y){0,900}z", "search"),
    ],
)
def test_a_pattern_that_is_not_linear_is_noticed(source: str, method: str) -> None:
    assert slow([Used("here", re.compile(source), method)])
