"""AIMD: halved at once, back step by step, within its bounds whatever happens."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.deliveries.destinations.aimd import (
    FASTEST,
    SETTLES,
    SLOWEST,
    STEP,
    Speed,
    after_a_block,
    halve,
    increase,
)

MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)

# What happened, and how many seconds after what happened before.
EVENTS = st.lists(st.tuples(st.booleans(), st.integers(0, 300)), max_size=80)


def test_a_complaint_halves_the_speed_at_once() -> None:
    speed = halve(None, 600, MONDAY)
    assert (speed.per_minute, speed.was) == (300, 600)
    assert halve(speed, 0, MONDAY + SETTLES - SECOND) == speed, "they were on their way"
    assert halve(speed, 0, MONDAY + SETTLES).per_minute == 150


def test_it_comes_back_step_by_step_to_full_speed() -> None:
    speed: Speed | None = halve(None, 600, MONDAY)
    seen, now = [], MONDAY
    while speed is not None:
        seen.append(speed.per_minute)
        now += STEP
        speed = increase(speed, now)
    assert seen == sorted(seen)
    assert seen[:6] == [300, 360, 420, 480, 540, 600]
    assert now - MONDAY < timedelta(minutes=25)


def test_it_does_not_rise_before_its_time() -> None:
    speed = halve(None, 600, MONDAY)
    assert increase(speed, MONDAY + STEP - SECOND) == speed


def test_after_a_block_it_begins_carefully() -> None:
    speed = after_a_block(MONDAY)
    assert speed.per_minute <= 60
    assert increase(speed, MONDAY) == speed


@given(EVENTS, st.floats(0, 1e6))
def test_it_keeps_its_bounds_whatever_happens(events: list[tuple[bool, int]], went: float) -> None:
    speed, now = halve(None, went, MONDAY), MONDAY
    for complains, seconds in events:
        now += seconds * SECOND
        before = speed
        speed = (
            halve(speed, went, now) if complains else increase(speed, now) or halve(None, went, now)
        )
        assert SLOWEST <= speed.per_minute < FASTEST
        if complains:
            assert speed.per_minute <= max(before.per_minute, SLOWEST)
            assert speed.per_minute >= min(before.per_minute / 2, SLOWEST)


@given(st.floats(2, 9000), st.floats(2, 9000))
def test_it_finds_what_a_domain_takes(went: float, takes: float) -> None:
    """A domain that complains whenever it gets more than it takes, is soon given about that."""
    speed, now, given_it = halve(None, went, MONDAY), MONDAY, []
    for _ in range(240):
        now += STEP
        faster = speed.per_minute > takes
        speed = halve(speed, went, now) if faster else increase(speed, now) or speed
        given_it.append(speed.per_minute)
    late = given_it[60:]
    assert max(late) <= max(1.3 * takes, takes + 2 * SLOWEST)
    assert sum(late) / len(late) >= 0.5 * takes
