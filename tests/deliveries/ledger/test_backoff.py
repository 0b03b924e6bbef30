"""How long messages and relays wait: never less for having failed more, and never all at once."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deliveries.ledger.backoff import RESTS, WAITS, rest, wait
from app.mail.replies import RetryClass

PACES = st.sampled_from([pace for pace in RetryClass if pace is not RetryClass.NONE])
CHANCES = st.floats(0, 1)


@given(PACES, st.integers(1, 1000), CHANCES)
def test_waits_grow_and_then_stay(pace: RetryClass, attempts: int, chance: float) -> None:
    assert timedelta(0) < wait(pace, attempts, chance) <= wait(pace, attempts + 1, chance)


@given(PACES, st.integers(0, 1000), CHANCES)
def test_chance_spreads_by_a_fifth(pace: RetryClass, attempts: int, chance: float) -> None:
    middle = wait(pace, attempts, 0.5)
    assert 0.79 * middle <= wait(pace, attempts, chance) <= 1.21 * middle


def test_every_pace_but_never_has_its_waits() -> None:
    assert WAITS.keys() == set(RetryClass) - {RetryClass.NONE}


@pytest.mark.parametrize("pace", WAITS)
def test_the_first_try_waits_the_first_of_its_waits(pace: RetryClass) -> None:
    for number, seconds in enumerate(WAITS[pace], start=1):
        assert wait(pace, number, 0.5) == timedelta(seconds=seconds)


def test_a_greylisted_message_waits_about_five_minutes_at_least() -> None:
    assert wait(RetryClass.GREYLIST, 1, 0) >= timedelta(minutes=4)


@pytest.mark.parametrize("failures", [1, 2, 3, 50])
def test_a_relay_rests_longer_for_failing_more(failures: int) -> None:
    assert 0 < rest(failures, 0.5) <= rest(failures + 1, 0.5) <= max(RESTS)
