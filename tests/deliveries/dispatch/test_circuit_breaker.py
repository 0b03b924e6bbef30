"""The circuit breaker: open after failures in a row, half open when rested, closed by a message."""

from hypothesis import given
from hypothesis import strategies as st

from app.deliveries.dispatch.circuit_breaker import MOVES, TRIPS, Breaker, Event, State
from app.deliveries.ledger.backoff import LOGIN_RESTS, RESTS


def tripped() -> Breaker:
    breaker, now = Breaker(), 0.0
    for _ in range(TRIPS):
        breaker = breaker.failed(now, RESTS, 0.5)
        now = breaker.rests_until
    return breaker


def test_every_state_knows_every_event() -> None:
    assert set(MOVES) == set(State)
    assert all(set(moves) == set(Event) for moves in MOVES.values())


def test_one_failure_is_chance_and_several_are_not() -> None:
    once = Breaker().failed(0, RESTS, 0.5)
    assert once.state is State.CLOSED
    assert once.rests_until > 0
    assert tripped().state is State.OPEN


def test_a_rest_ends_half_open_and_a_message_closes() -> None:
    breaker = tripped()
    assert breaker.at(breaker.rests_until - 0.01).state is State.OPEN
    probing = breaker.at(breaker.rests_until)
    assert probing.state is State.HALF_OPEN
    assert probing.taken() == Breaker(State.CLOSED)
    again = probing.failed(breaker.rests_until, RESTS, 0.5)
    assert again.state is State.OPEN
    assert again.rests_until - breaker.rests_until > RESTS[TRIPS - 1]


def test_lines_that_fail_together_fail_once() -> None:
    breaker = Breaker()
    for _ in range(50):
        breaker = breaker.failed(0, RESTS, 0.5)
    assert breaker.failures == 1


def test_a_refused_login_is_tried_seldom() -> None:
    assert all(login > rest for login, rest in zip(LOGIN_RESTS, RESTS, strict=False))


@given(st.lists(st.tuples(st.sampled_from(["taken", "failed", "wait"]), st.floats(0, 60))))
def test_it_is_never_open_without_failures_nor_left_for_ever(
    events: list[tuple[str, float]],
) -> None:
    breaker, now = Breaker(), 0.0
    for what, seconds in events:
        now += seconds
        breaker = breaker.at(now)
        if what == "taken":
            breaker = breaker.taken()
            assert breaker == Breaker()
        elif what == "failed":
            breaker = breaker.failed(now, RESTS, 0.5)
        assert (breaker.state is State.CLOSED) or breaker.failures >= TRIPS
        assert breaker.rests_until - now <= 1.2 * max(RESTS)
