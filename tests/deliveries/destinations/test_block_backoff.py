"""Blocks: several readers make one, a probe ends or prolongs it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.deliveries.destinations.block_backoff import REPEATS, WAITS, Block, Refusals, block, probe

MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def test_one_reader_s_refusals_are_no_block() -> None:
    refusals = Refusals()
    assert not any(refusals.sent_away(7) for _ in range(10))
    assert [refusals.sent_away(number) for number in range(1, REPEATS)][-1]


def test_a_message_that_is_taken_breaks_the_row() -> None:
    refusals = Refusals()
    for number in range(20):
        assert not refusals.sent_away(number)
        refusals.taken()


@given(st.lists(st.integers(0, 20_000), max_size=40))
def test_a_block_is_probed_ever_more_seldom(seconds: list[int]) -> None:
    now, blocked = MONDAY, block(None, MONDAY)
    assert blocked == Block(MONDAY + WAITS[0], 1)
    for each in seconds:
        now += timedelta(seconds=each)
        assert block(blocked, now) == blocked
        probing = probe(blocked, now)
        assert (probing is None) == (now < blocked.until)
        if probing is not None:
            assert probing.times == blocked.times + 1
            assert probing.until - now == WAITS[min(blocked.times, len(WAITS) - 1)]
            assert probe(probing, now) is None, "one message at a time"
            blocked = probing
