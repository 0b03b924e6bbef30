"""ISO weeks: those that exist, and those that do not."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.issues.week import NoSuchWeek, Week

DAYS = st.dates(min_value=date(1000, 1, 6), max_value=date(2999, 12, 20))


def test_the_week_of_the_design() -> None:
    """`2025-W04` is January 20 to January 26, 2025."""
    week = Week.parse("2025-W04")
    assert (week.monday, week.sunday) == (date(2025, 1, 20), date(2025, 1, 26))
    assert week.number == 202504
    assert str(week) == "2025-W04"


@pytest.mark.parametrize(
    "text",
    [
        "2025-W54",
        "2025-W53",
        "2025-W00",
        "2025-W4",
        "2025W04",
        "2025-w04",
        " 2025-W04",
        "2025-W04\n",
        "0000-W01",
        "9999-W52",
        "٢٠٢٥-W04",
        "2025-W٠٤",
        "",
    ],
)
def test_weeks_that_do_not_exist(text: str) -> None:
    """2025 has 52 weeks; a name has one spelling."""
    with pytest.raises(NoSuchWeek):
        Week.parse(text)


def test_long_years_have_a_53rd_week() -> None:
    """2026 begins on a Thursday."""
    assert Week.parse("2026-W53").sunday == date(2027, 1, 3)
    assert Week.parse("2027-W01").previous() == Week.parse("2026-W53")


def test_a_week_begins_on_monday() -> None:
    """Another day would be a second name of the same week."""
    with pytest.raises(NoSuchWeek):
        Week(date(2025, 1, 21))


@given(DAYS)
def test_every_day_is_in_its_week(day: date) -> None:
    """And the week's name reads back as the week."""
    week = Week.of(day)
    assert week.monday <= day <= week.sunday
    assert Week.parse(str(week)) == week


@given(DAYS, DAYS)
def test_weeks_order_as_their_numbers_and_names(one: date, other: date) -> None:
    """So a database may sort by number."""
    first, second = Week.of(one), Week.of(other)
    assert (first < second) == (first.number < second.number) == (str(first) < str(second))
