"""What is rehearsed: audiences as files say them, and how a rehearsal is shown."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.rehearse import (
    COLUMNS,
    AudienceUnreadable,
    AudienceWrong,
    curve,
    most_in,
    read_audience,
    shown,
    synthetic,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audience.csv"


def test_an_audience_is_counts_manners_and_addresses_of_which_the_domain_stays(file: Path) -> None:
    file.write_text(
        "# who reads us\n"
        "Gmail.com,40\n"
        "\n"
        "slow.example, 3, slow\n"
        "somebody@example.org\n"
        '"somebody.else@EXAMPLE.org",be\n'
        "gmail.com,2\n"
    )
    read = read_audience(file)
    assert read.readers == {"gmail.com": 42, "slow.example": 3, "example.org": 2}
    assert read.manners == {"slow.example": "slow"}
    assert not [each for each in read.addresses(1) if each.startswith("somebody")]
    assert len(set(read.addresses(1))) == 47


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("example.org", "no count"),
        ("example.org,many", "no count"),
        ("example.org,1234567", "no count"),
        ("exam ple.org,5", "no domain"),
        ("seldom..seen@example.org", "no address"),
        ("seldomseen@,5", "no address"),
        ('"seldomseen', "no CSV"),
        ("example.org,5,rude", "no manner; there are: blocking, dead, forgetful, grey, limited,"),
    ],
)
def test_a_wrong_line_is_named_by_its_number_and_not_repeated(
    line: str, why: str, file: Path
) -> None:
    file.write_text(f"\ufeff# a comment counts as a line\nexample.org,5\n\n{line}\n")
    with pytest.raises(AudienceWrong, match=rf"^Line 4: {re.escape(why)}") as refused:
        read_audience(file)
    assert "seldom" not in str(refused.value)


@pytest.mark.parametrize("content", [None, b"", b"# nobody\n\n", b"\xff\xfe", b"example.org,0\n"])
def test_a_file_that_says_nothing_is_refused(content: bytes | None, file: Path) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(AudienceUnreadable):
        read_audience(file)


@given(st.integers(1, 200_000))
def test_a_synthetic_audience_has_as_many_as_were_asked_for(readers: int) -> None:
    made = synthetic(readers)
    assert sum(made.readers.values()) == readers
    assert all(made.readers.values())


@given(st.lists(st.integers(0, 100), max_size=60), st.integers(1, 50))
def test_no_window_holds_more_than_the_most(times: list[int], seconds: int) -> None:
    taken = sorted(times)
    most = most_in(taken, seconds)
    assert most == max(
        (sum(begin <= at < begin + seconds for at in taken) for begin in taken), default=0
    )


@given(st.lists(st.floats(0, 100), max_size=60))
def test_a_curve_is_high_where_most_were_taken(times: list[float]) -> None:
    drawn = curve(sorted(times), 100.0)
    assert len(drawn) == COLUMNS
    assert ("█" in drawn) == bool(times)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 min 00 s"), (61, "1 min 01 s"), (3599.6, "1 h 00 min"), (7320, "2 h 02 min")],
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert shown(seconds) == text
