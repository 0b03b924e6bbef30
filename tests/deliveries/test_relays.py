"""How a relay rests: for what is its own matter, and never for a reader's."""

import pytest

from app.deliveries.relays import STRIKES, RelayState
from app.mail.relay import Relay
from app.mail.replies import Answer, Reply, Stage

TAKEN = Answer(Stage.DOT, Reply(250, "2.0.0", "Ok"))
GONE = Answer(Stage.RCPT, Reply(550, "5.1.1", "No such user"))
BUSY = Answer(Stage.RCPT, Reply(452, "4.3.1", "Slow down"))
WRONG = Answer(Stage.MAIL, Reply(530, "5.7.0", "Log in"))
DROPPED = Answer(Stage.MAIL, None, "The relay closed the connection.")
UNREACHABLE = Answer(Stage.CONNECT, None, "The relay cannot be reached.")


@pytest.fixture
def state() -> RelayState:
    return RelayState(Relay.parse("smtp+insecure://127.0.0.1:25"))


def hear(state: RelayState, answer: Answer, now: float = 0) -> None:
    state.heard(answer, now=now, chance=0.5)


@pytest.mark.parametrize("answer", [TAKEN, GONE])
def test_a_reader_s_matter_does_not_slow_the_relay(state: RelayState, answer: Answer) -> None:
    hear(state, answer)
    assert state.waits(0, connected=False) <= 0


def test_a_busy_relay_gets_no_letter_on_any_line(state: RelayState) -> None:
    hear(state, BUSY)
    assert state.waits(0, connected=True) > 0


def test_a_broken_connection_says_nothing_about_the_others(state: RelayState) -> None:
    hear(state, DROPPED)
    assert state.waits(0, connected=True) <= 0
    assert state.waits(0, connected=False) > 0


def test_lines_that_fail_together_fail_once(state: RelayState) -> None:
    for _ in range(50):
        state.could_not_open(UNREACHABLE, now=0, chance=0.5)
    assert state.waits(0, connected=False) <= 2
    assert not state.needs_operator


def test_a_relay_that_stays_away_is_told_of(state: RelayState) -> None:
    now = 0.0
    for _ in range(2 * STRIKES):
        state.could_not_open(UNREACHABLE, now=now, chance=0.5)
        now += state.waits(now, connected=False)
    assert (state.needs_operator, state.trouble) == (True, "The relay cannot be reached.")
    hear(state, TAKEN, now)
    assert (state.needs_operator, state.is_down(now)) == (False, False)


def test_one_refusal_of_our_set_up_may_be_chance(state: RelayState) -> None:
    for strike in range(1, STRIKES + 1):
        hear(state, WRONG)
        assert state.needs_operator is (strike == STRIKES)
        assert (state.waits(0, connected=True) > 0) is (strike == STRIKES)


def test_a_relay_is_down_while_it_rests_for_failing_again_and_again(state: RelayState) -> None:
    now = 0.0
    for failure in range(1, STRIKES + 1):
        state.could_not_open(UNREACHABLE, now=now, chance=0.5)
        assert state.is_down(now) is (failure == STRIKES)
        now += state.waits(now, connected=False)
    assert not state.is_down(now)  # a line may try again
