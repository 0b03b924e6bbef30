"""The law of a window: never above N in any window, and whoever waits as told gets one."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rate_limits.sliding_window import (
    SLOTS,
    forgotten_at,
    open_slots,
    slot_at,
    slot_length,
    wait,
)
from app.settings import Rate
from tests.support.clock import MONDAY

rates = st.builds(
    Rate,
    st.integers(1, 6),
    st.sampled_from([1, 7, 60, 600, 86_400, 30 * 86_400]).map(lambda s: timedelta(seconds=s)),
)
shares = st.lists(st.floats(0, 1.5), max_size=40)


def granted(rate: Rate, tries: Sequence[datetime]) -> list[datetime]:
    """Try at each of these times, as the database counts."""
    taken: Counter[int] = Counter()
    given_at = []
    for at in tries:
        if not wait(rate, [taken[slot] for slot in open_slots(rate, at)], at):
            taken[slot_at(rate, at)] += 1
            given_at.append(at)
    return given_at


def times(rate: Rate, gaps: Sequence[float], start: datetime = MONDAY) -> list[datetime]:
    found, at = [], start
    for gap in gaps:
        at += rate.window * gap
        found.append(at)
    return found


@given(rates, shares, st.integers(0, 10**9))
def test_no_window_ever_holds_more_than_its_rate(rate: Rate, gaps: list[float], start: int) -> None:
    begin = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(microseconds=start * 977)
    got = granted(rate, times(rate, gaps, begin))
    for first in got:
        assert sum(first <= at < first + rate.window for at in got) <= rate.times


@given(rates, shares)
def test_who_waits_as_told_gets_one_and_who_waits_less_does_not(
    rate: Rate, gaps: list[float]
) -> None:
    taken: Counter[int] = Counter()
    at = MONDAY
    for at in times(rate, gaps):
        counts = [taken[slot] for slot in open_slots(rate, at)]
        if not wait(rate, counts, at):
            taken[slot_at(rate, at)] += 1
    counts = [taken[slot] for slot in open_slots(rate, at)]
    told = wait(rate, counts, at)
    assert told <= slot_length(rate) * (SLOTS + 1)
    after = at + told
    assert not wait(rate, [taken[slot] for slot in open_slots(rate, after)], after)
    if told:
        early = after - timedelta(microseconds=1)
        assert wait(rate, [taken[slot] for slot in open_slots(rate, early)], early)


@given(rates, st.integers(0, 10**12))
def test_slots_follow_each_other_and_cover_the_window(rate: Rate, microseconds: int) -> None:
    at = MONDAY + timedelta(microseconds=microseconds)
    slots = open_slots(rate, at)
    assert slots[-1] == slot_at(rate, at)
    assert slot_length(rate) * SLOTS >= rate.window
    assert forgotten_at(rate, slots[0]) > at, "the oldest that counts counts still"
    assert forgotten_at(rate, slots[0] - 1) <= at, "the one before does not"
    assert slots[0] not in open_slots(rate, forgotten_at(rate, slots[0]))


def test_the_whole_of_an_allowance_can_be_used_at_once() -> None:
    rate = Rate(20, timedelta(minutes=10))
    assert len(granted(rate, [MONDAY] * 25)) == 20
    later = MONDAY + timedelta(minutes=12)
    assert len(granted(rate, [MONDAY] * 25 + [later] * 25)) == 40


def test_counts_that_make_no_sense_are_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        wait(Rate(0, timedelta(minutes=1)), [0] * (SLOTS + 1), MONDAY)
