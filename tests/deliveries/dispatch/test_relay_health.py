"""How a relay rests: for what is its own matter, and never for a reader's."""

import pytest

from app.deliveries.destinations.throttle_signals import ThrottleSignal
from app.deliveries.dispatch.circuit_breaker import State
from app.deliveries.dispatch.relay_health import STRIKES, VOICES, RelayState
from app.deliveries.ledger.backoff import LOGIN_RESTS
from app.mail.relay import Relay
from app.mail.replies import RELAY_WRONG, Answer, Reply, Scope, Stage

TAKEN = Answer(Stage.DOT, Reply(250, "2.0.0", "Ok"))
GONE = Answer(Stage.RCPT, Reply(550, "5.1.1", "No such user"))
BUSY = Answer(Stage.RCPT, Reply(452, "4.3.1", "Slow down"))
WRONG = Answer(Stage.MAIL, Reply(530, "5.7.0", "Log in"))
DROPPED = Answer(Stage.MAIL, None, "The relay closed the connection.")
SLOW = Answer(Stage.RCPT, Reply(451, "4.7.28", "Rate limit exceeded"))
LISTED = Answer(Stage.RCPT, Reply(550, "5.7.1", "Blocked using a DNSBL"))
NO_LOGIN = Answer(Stage.LOGIN, Reply(535, "5.7.8", "Bad credentials"))
UNREACHABLE = Answer(Stage.CONNECT, None, "The relay cannot be reached.")


@pytest.fixture
def state() -> RelayState:
    return RelayState(Relay.parse("smtp+insecure://127.0.0.1:25"))


def hear(state: RelayState, answer: Answer, now: float = 0) -> None:
    state.heard(answer, group="example.org", now=now, chance=0.5)


@pytest.mark.parametrize("answer", [TAKEN, GONE])
def test_a_reader_s_matter_does_not_slow_the_relay(state: RelayState, answer: Answer) -> None:
    hear(state, answer)
    assert state.waits(0, connected=False) <= 0


def test_a_busy_relay_gets_no_message_on_any_line(state: RelayState) -> None:
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


def test_one_line_tries_a_relay_that_has_rested(state: RelayState) -> None:
    now, one, two = 0.0, object(), object()
    for _ in range(STRIKES):
        state.could_not_open(UNREACHABLE, now=now, chance=0.5)
        now += state.waits(now, connected=False)
    assert state.state(now) is State.HALF_OPEN
    assert state.begin(now, one)
    assert not state.begin(now, two)
    assert state.waits(now, connected=False, line=one) <= 0
    assert state.waits(now, connected=False, line=two) > 0
    state.end(two)
    assert state.waits(now, connected=False, line=two) > 0
    state.end(one)
    assert state.waits(now, connected=False, line=two) <= 0
    state.begin(now, one)
    hear(state, TAKEN, now)
    assert state.state(now) is State.CLOSED
    assert state.waits(now, connected=False, line=two) <= 0


def test_a_refused_login_is_tried_more_and_more_seldom(state: RelayState) -> None:
    state.could_not_open(NO_LOGIN, now=0, chance=0.5)
    assert state.waits(0, connected=False) >= LOGIN_RESTS[0]


def test_what_one_domain_says_of_us_is_not_the_relay_s_matter(state: RelayState) -> None:
    for _ in range(50):
        verdict, wish = state.heard(LISTED, group="one", now=0, chance=0.5)
        assert (verdict.concern, wish) == (Scope.DOMAIN, ThrottleSignal.AWAY)
        assert state.waits(0, connected=False) <= 0


def test_what_several_domains_say_is_the_relay_s(state: RelayState) -> None:
    for group in ("one", "two"):
        assert state.heard(SLOW, group=group, now=0, chance=0.5)[1] is ThrottleSignal.SLOWER
    hear(state, TAKEN)
    for group in ("one", "two"):
        assert state.heard(SLOW, group=group, now=0, chance=0.5)[1] is ThrottleSignal.SLOWER
    verdict, wish = state.heard(SLOW, group="three", now=0, chance=0.5)
    assert (verdict.concern, wish) == (Scope.RELAY, ThrottleSignal.NONE)
    assert state.waits(0, connected=True) > 0


def test_a_refused_login_closes_the_relay_and_needs_an_operator_at_once(state: RelayState) -> None:
    state.could_not_open(NO_LOGIN, now=0, chance=0.5)
    assert state.is_down(0)
    assert state.needs_operator


def test_what_is_said_of_a_mailing_s_first_messages_is_no_domain_s_matter(
    state: RelayState,
) -> None:
    refused = [
        state.heard(LISTED, group="one", mailing=7, now=0, chance=0.5) for _ in range(VOICES)
    ]
    assert [wish for _, wish in refused] == [ThrottleSignal.AWAY] * (VOICES - 1) + [
        ThrottleSignal.NONE
    ]
    assert refused[-1][0] == RELAY_WRONG


def test_once_a_message_of_the_mailing_was_taken_a_domain_speaks_for_itself(
    state: RelayState,
) -> None:
    state.heard(TAKEN, group="two", mailing=7, now=0, chance=0.5)
    for _ in range(5 * VOICES):
        verdict, _ = state.heard(LISTED, group="one", mailing=7, now=0, chance=0.5)
        assert verdict.concern is Scope.DOMAIN
