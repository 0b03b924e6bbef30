"""The stamp of a form: signed, the same for all who come in one second, and of no use but one."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.subscribers.form_timestamp import LEAST, stamp, too_fast
from tests.support.clock import MONDAY

KEY = bytes(32)
SECONDS = st.floats(0, 10_000_000).map(lambda seconds: timedelta(seconds=seconds))


@given(SECONDS)
def test_only_what_comes_at_once_is_hasty(later: timedelta) -> None:
    now = MONDAY + later
    assert too_fast(KEY, stamp(KEY, MONDAY), now) == (later < LEAST)


def test_a_stamp_of_tomorrow_is_hasty() -> None:
    assert too_fast(KEY, stamp(KEY, MONDAY + timedelta(days=1)), MONDAY)


@given(st.integers(0, 999_999))
def test_all_who_come_in_one_second_hold_the_same(microseconds: int) -> None:
    then = MONDAY + timedelta(microseconds=microseconds)
    assert stamp(KEY, then) == stamp(KEY, MONDAY)
    assert len(stamp(KEY, then)) == 20


@given(st.one_of(st.text(), st.binary(min_size=15, max_size=15).map(lambda raw: raw.hex())))
def test_what_is_not_ours_says_nothing(written: str) -> None:
    assert not too_fast(KEY, written, MONDAY)


@given(st.integers(0, 19), st.sampled_from("AZaz09-_"))
def test_no_character_can_be_changed(place: int, other: str) -> None:
    ours = stamp(KEY, MONDAY)
    changed = ours[:place] + other + ours[place + 1 :]
    assert too_fast(KEY, changed, MONDAY) is (changed == ours)


def test_another_key_s_stamp_says_nothing() -> None:
    assert not too_fast(KEY, stamp(bytes(31) + b"\1", MONDAY), MONDAY)
