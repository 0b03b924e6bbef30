"""Limits are read whole or refused; a warm-up lets more go day by day, and then all."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mail.limits import PLAN, Limits, LimitWrong, WarmUp, WarmUpWrong, read_limits

DAY = date(2026, 12, 1)


def test_limits_are_read_by_their_names() -> None:
    assert read_limits({"per_minute": "60", "connections": "2"}) == Limits(2, per_minute=60)
    assert read_limits({}) == Limits()
    assert not Limits(connections=3).pace
    assert all(read_limits({name: "1"}).pace for name in ("per_minute", "per_hour"))


@pytest.mark.parametrize("wrong", [{"per_year": "1"}, {"per_hour": "0"}, {"per_hour": "-1"}])
def test_what_cannot_be_kept_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(LimitWrong):
        read_limits(wrong)


@pytest.mark.parametrize(
    "wrong", ["", "tomorrow", "2026-13-01", "2026-12-01:", "2026-12-01:0", "2026-12-01:many"]
)
def test_a_plan_that_cannot_be_kept_is_refused(wrong: str) -> None:
    with pytest.raises(WarmUpWrong):
        WarmUp.parse(wrong)


def test_a_plan_says_how_many_go_on_each_day() -> None:
    warm_up = WarmUp.parse("2026-12-01:20:40")
    days = [DAY + timedelta(days=number) for number in range(-1, 3)]
    assert [warm_up.most_on(day) for day in days] == [0, 20, 40, None]
    assert WarmUp.parse("2026-12-01").plan == PLAN
    limits = Limits(per_day=30, warm_up=warm_up)
    assert [limits.most_in_a_day(day) for day in days] == [0, 20, 30, 30]
    assert limits.pace


@given(st.integers(0, 400), st.none() | st.integers(1, 100_000))
def test_no_day_holds_more_than_either_says(number: int, per_day: int | None) -> None:
    warm_up = WarmUp(DAY)
    most = Limits(per_day=per_day, warm_up=warm_up).most_in_a_day(DAY + timedelta(days=number))
    for said in (per_day, warm_up.most_on(DAY + timedelta(days=number))):
        assert said is None or (most is not None and most <= said)
