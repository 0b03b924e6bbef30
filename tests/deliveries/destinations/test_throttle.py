"""The gate: who may go at once, who waits, and what one sender's news do to its own messages."""

from datetime import UTC, datetime, timedelta

from app.deliveries.compose.composing import Outgoing
from app.deliveries.destinations.aimd import halve
from app.deliveries.destinations.block_backoff import REPEATS
from app.deliveries.destinations.coordination import ThrottleGrant, ThrottleState
from app.deliveries.destinations.destination import AT_FULL_SPEED, READY
from app.deliveries.destinations.limits import DestinationLimits
from app.deliveries.destinations.throttle import Admission, Throttle
from app.deliveries.destinations.throttle_signals import ThrottleSignal
from app.deliveries.ledger.due import Claim
from app.mail.message.message_template import Filled
from app.mail.replies import Answer, Outcome, Reply, Stage

MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
TAKEN = Answer(Stage.DOT, Reply(250, "2.0.0", "Ok"))
AWAY = Answer(Stage.RCPT, Reply(550, "5.7.1", "Blocked"))


def gate(*limits: str, lines: int = 8) -> Throttle:
    return Throttle(DestinationLimits.parse(limits, b"secret"), lines)


def message(number: int, domain: str = "big.example", mailing: int | None = 1) -> Outgoing:
    claim = Claim(number, "issue", mailing, b"", None, 0, MONDAY + timedelta(hours=48))
    unsent: Filled = None  # type: ignore[assignment]  # nobody looks at it here
    return Outgoing(claim, "back@example.org", f"r{number}@{domain}", unsent, 0.0)


def hear(
    at: Throttle, number: int, wish: ThrottleSignal, answer: Answer = AWAY, seconds: float = 0.0
) -> object:
    outcome = Outcome.ACCEPTED if answer is TAKEN else Outcome.RETRY
    return at.heard(message(number), answer, outcome, wish, seconds, MONDAY)


def let_go(at: Throttle, messages: int) -> list[int]:
    asks = at.asks(MONDAY)
    given = {
        ask.name: ThrottleGrant(min(messages, ask.wanted), AT_FULL_SPEED, MONDAY) for ask in asks
    }
    return [each.claim.delivery_id for each in at.given(asks, given, MONDAY)]


def test_a_group_without_limits_goes_at_once_and_asks_nothing() -> None:
    at = gate()
    assert {at.enter(message(n), MONDAY) for n in range(1000)} == {Admission.GOES}
    assert hear(at, 1, ThrottleSignal.NONE, TAKEN) is None
    assert at.asks(MONDAY) == []
    assert at._groups == {}


def test_a_limited_group_waits_and_goes_in_its_order() -> None:
    at = gate("big.example?per_minute=60")
    passages = [at.enter(message(n), MONDAY) for n in range(1, 11)]
    assert passages == [Admission.WAITS] * 3 + [Admission.PARKED] * 7
    assert let_go(at, 2) == [1, 2]
    assert at.wake(10) == [4, 5]
    assert [at.enter(message(n), MONDAY, woken=True) for n in (4, 5)] == [Admission.WAITS] * 2
    assert let_go(at, 9) == [3, 4, 5]
    assert at.give_back() == [6, 7, 8, 9, 10]


def test_what_somebody_waits_for_goes_first() -> None:
    at = gate("big.example?per_minute=60")
    for number in range(1, 9):
        at.enter(message(number), MONDAY)
    assert at.enter(message(99, mailing=None), MONDAY) is Admission.WAITS
    assert let_go(at, 1) == [99]


def test_a_complaint_slows_at_once_before_the_others_know() -> None:
    at = gate()
    for number in range(60):
        at.enter(message(number), MONDAY)
    hear(at, 1, ThrottleSignal.SLOWER)
    assert at.enter(message(100), MONDAY) is Admission.WAITS
    assert at.enter(message(101, "other.example"), MONDAY) is Admission.GOES
    (ask,) = at.asks(MONDAY)
    assert (ask.slower, ask.wanted) == (60.0, 1)


def test_it_takes_several_readers_to_be_blocked_and_that_is_told_once() -> None:
    at = gate()
    told = [hear(at, number, ThrottleSignal.AWAY) for number in range(1, REPEATS + 3)]
    assert [each is not None for each in told] == [False] * (REPEATS - 1) + [True] + [False] * 2
    assert at.enter(message(50), MONDAY) is Admission.WAITS, "as the probe"
    assert at.enter(message(51), MONDAY) is Admission.PARKED


def test_what_others_heard_holds_here_and_what_is_over_lets_go() -> None:
    at = gate()
    slow = ThrottleState(halve(None, 600, MONDAY), None)
    at.learn({DestinationLimits.parse([], b"secret").name("big.example"): slow})
    assert at.enter(message(1), MONDAY) is Admission.WAITS
    assert [each.claim.delivery_id for each in at.learn({})] == [1]
    assert at.enter(message(2), MONDAY) is Admission.GOES


def test_a_slow_group_is_left_some_lines_and_gets_all_when_it_answers_soon() -> None:
    at = gate(lines=8)
    assert at.crowd([message(1)]) == set()
    assert at.crowd([message(1), message(2)]) == {"big.example"}
    assert at.enter(message(3), MONDAY) is Admission.WAITS
    assert let_go(at, READY) == [], "it has its share already"
    hear(at, 1, ThrottleSignal.NONE, TAKEN, seconds=20)
    assert let_go(at, READY) == [3]
    for number in (2, 3):
        hear(at, number, ThrottleSignal.NONE, TAKEN, seconds=0.1)
    at.learn({})
    assert at.enter(message(4), MONDAY) is Admission.GOES


def test_idle_lines_are_a_slow_group_s_too() -> None:
    at = gate(lines=8)
    at.crowd([message(1), message(2)])
    at.enter(message(3), MONDAY)
    (ask,) = at.asks(MONDAY, idle=5)
    assert ask.wanted == 1


def test_parked_messages_of_a_mailing_that_is_over_are_woken_first() -> None:
    at = gate("big.example?per_minute=60")
    for number in range(1, 9):
        at.enter(message(number, mailing=1 + number % 2), MONDAY)
    assert at.parked_mailings() == {1, 2}
    assert at.wake(9, over={2}) == [5, 7]
    assert at.parked_mailings() == {1}
