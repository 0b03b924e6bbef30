"""Every attack in the security document is tried by a test of its number, or says why not."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| ([A-J][0-9]+) \| (.+) \| (.+) \|$", re.MULTILINE)
NAMED = re.compile(r"^def test_((?:[a-j][0-9]+_)+)", re.MULTILINE)
TABLE = {row[1]: row[3] for row in ROW.finditer((ROOT / "docs" / "security.md").read_text())}


def tried() -> dict[str, set[str]]:
    """The files that hold tests named by an attack's number."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for match in NAMED.finditer(path.read_text()):
            for number in match[1].strip("_").split("_"):
                found[number.upper()].add(str(path.relative_to(ROOT)))
    return found


@pytest.mark.parametrize("number", sorted(TABLE))
def test_a_listed_attack_is_tried_where_the_list_says(number: str) -> None:
    said = set(re.findall(r"`(tests/[^`]+)`", TABLE[number]))
    assert said == tried().get(number, set())
    assert said or TABLE[number].startswith("does not apply: ")


def test_every_attack_that_is_tried_is_listed() -> None:
    assert set(tried()) <= set(TABLE)
    assert len(TABLE) >= 40
