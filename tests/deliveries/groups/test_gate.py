"""The gate: who may go at once, who waits, and what one sender's news do to its own letters."""

from datetime import UTC, datetime, timedelta

from app.deliveries.composing import Outgoing
from app.deliveries.due import Claim
from app.deliveries.groups.blocks import REPEATS
from app.deliveries.groups.gate import Gate, Passage
from app.deliveries.groups.group import AT_FULL_SPEED, READY
from app.deliveries.groups.limits import GroupLimits
from app.deliveries.groups.sharing import Given, Standing
from app.deliveries.groups.speeds import lower
from app.deliveries.groups.wishes import Wish
from app.mail.filling import Filled
from app.mail.replies import Answer, Outcome, Reply, Stage

MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
TAKEN = Answer(Stage.DOT, Reply(250, "2.0.0", "Ok"))
AWAY = Answer(Stage.RCPT, Reply(550, "5.7.1", "Blocked"))


def gate(*limits: str, lines: int = 8) -> Gate:
    return Gate(GroupLimits.parse(limits, b"secret"), lines)


def letter(number: int, domain: str = "big.example", mailing: int | None = 1) -> Outgoing:
    claim = Claim(number, "issue", mailing, b"", None, 0, MONDAY + timedelta(hours=48))
    unsent: Filled = None  # type: ignore[assignment]  # nobody looks at it here
    return Outgoing(claim, "back@example.org", f"r{number}@{domain}", unsent, 0.0)


def hear(at: Gate, number: int, wish: Wish, answer: Answer = AWAY, seconds: float = 0.0) -> object:
    outcome = Outcome.ACCEPTED if answer is TAKEN else Outcome.RETRY
    return at.heard(letter(number), answer, outcome, wish, seconds, MONDAY)


def let_go(at: Gate, letters: int) -> list[int]:
    asks = at.asks(MONDAY)
    given = {ask.name: Given(min(letters, ask.wanted), AT_FULL_SPEED, MONDAY) for ask in asks}
    return [each.claim.delivery_id for each in at.given(asks, given, MONDAY)]


def test_a_group_without_limits_goes_at_once_and_asks_nothing() -> None:
    at = gate()
    assert {at.enter(letter(n), MONDAY) for n in range(1000)} == {Passage.GOES}
    assert hear(at, 1, Wish.NONE, TAKEN) is None
    assert at.asks(MONDAY) == []
    assert at._groups == {}


def test_a_limited_group_waits_and_goes_in_its_order() -> None:
    at = gate("big.example?per_minute=60")
    passages = [at.enter(letter(n), MONDAY) for n in range(1, 11)]
    assert passages == [Passage.WAITS] * 3 + [Passage.PARKED] * 7
    assert let_go(at, 2) == [1, 2]
    assert at.wake(10) == [4, 5]
    assert [at.enter(letter(n), MONDAY, woken=True) for n in (4, 5)] == [Passage.WAITS] * 2
    assert let_go(at, 9) == [3, 4, 5]
    assert at.give_back() == [6, 7, 8, 9, 10]


def test_what_somebody_waits_for_goes_first() -> None:
    at = gate("big.example?per_minute=60")
    for number in range(1, 9):
        at.enter(letter(number), MONDAY)
    assert at.enter(letter(99, mailing=None), MONDAY) is Passage.WAITS
    assert let_go(at, 1) == [99]


def test_a_complaint_slows_at_once_before_the_others_know() -> None:
    at = gate()
    for number in range(60):
        at.enter(letter(number), MONDAY)
    hear(at, 1, Wish.SLOWER)
    assert at.enter(letter(100), MONDAY) is Passage.WAITS
    assert at.enter(letter(101, "other.example"), MONDAY) is Passage.GOES
    (ask,) = at.asks(MONDAY)
    assert (ask.slower, ask.wanted) == (60.0, 1)


def test_it_takes_several_readers_to_be_blocked_and_that_is_told_once() -> None:
    at = gate()
    told = [hear(at, number, Wish.AWAY) for number in range(1, REPEATS + 3)]
    assert [each is not None for each in told] == [False] * (REPEATS - 1) + [True] + [False] * 2
    assert at.enter(letter(50), MONDAY) is Passage.WAITS, "as the probe"
    assert at.enter(letter(51), MONDAY) is Passage.PARKED


def test_what_others_heard_holds_here_and_what_is_over_lets_go() -> None:
    at = gate()
    slow = Standing(lower(None, 600, MONDAY), None)
    at.learn({GroupLimits.parse([], b"secret").name("big.example"): slow})
    assert at.enter(letter(1), MONDAY) is Passage.WAITS
    assert [each.claim.delivery_id for each in at.learn({})] == [1]
    assert at.enter(letter(2), MONDAY) is Passage.GOES


def test_a_slow_group_is_left_some_lines_and_gets_all_when_it_answers_soon() -> None:
    at = gate(lines=8)
    assert at.crowd([letter(1)]) == set()
    assert at.crowd([letter(1), letter(2)]) == {"big.example"}
    assert at.enter(letter(3), MONDAY) is Passage.WAITS
    assert let_go(at, READY) == [], "it has its share already"
    hear(at, 1, Wish.NONE, TAKEN, seconds=20)
    assert let_go(at, READY) == [3]
    for number in (2, 3):
        hear(at, number, Wish.NONE, TAKEN, seconds=0.1)
    at.learn({})
    assert at.enter(letter(4), MONDAY) is Passage.GOES


def test_idle_lines_are_a_slow_group_s_too() -> None:
    at = gate(lines=8)
    at.crowd([letter(1), letter(2)])
    at.enter(letter(3), MONDAY)
    (ask,) = at.asks(MONDAY, idle=5)
    assert ask.wanted == 1


def test_parked_letters_of_a_mailing_that_is_over_are_woken_first() -> None:
    at = gate("big.example?per_minute=60")
    for number in range(1, 9):
        at.enter(letter(number, mailing=1 + number % 2), MONDAY)
    assert at.parked_mailings() == {1, 2}
    assert at.wake(9, over={2}) == [5, 7]
    assert at.parked_mailings() == {1}
