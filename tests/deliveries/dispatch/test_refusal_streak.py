"""Many refusals in a row with nothing taken stop a mailing; the words decide how many."""

import pytest

from app.deliveries.dispatch.refusal_streak import LIMIT, Refusal, Streaks
from app.mail.replies import Answer, Reply, Stage, classify

OK = "250 2.0.0 Ok"
GONE = "550 5.1.1 User unknown"


def said(number: int, stage: Stage, line: str, attempts: int = 0) -> Refusal:
    reply = Reply.parse(int(line[:3]), line[4:])
    return Refusal(number, attempts, classify(Answer(stage, reply)), stage, reply)


def after(stage: Stage, line: str, times: int) -> Streaks:
    streaks = Streaks()
    streaks.count(1, [said(number, stage, line) for number in range(times)])
    return streaks


@pytest.mark.parametrize(
    ("stage", "line", "needed"),
    [
        (Stage.DOT, "554 Sending suspended for this account", 1),
        (Stage.MAIL, "550 Quux", 1),
        (Stage.DATA, "554 Quux", 1),
        (Stage.DOT, "554 Quux", 3),
        (Stage.DOT, "552 5.3.4 Too big", 3),
        (Stage.RCPT, "550 Quux", 6),
        (Stage.RCPT, "550 Rejected", 6),
        (Stage.RCPT, "550 5.2.1 Disabled", 6),
        (Stage.RCPT, GONE, LIMIT),
        (Stage.DOT, GONE, LIMIT),
    ],
)
def test_so_many_in_a_row_stop_a_mailing(stage: Stage, line: str, needed: int) -> None:
    assert not after(stage, line, needed - 1).full()
    assert after(stage, line, needed).full().keys() == {1}


def test_what_failed_in_the_row_is_known_and_no_more() -> None:
    streaks = Streaks()
    streaks.count(1, [said(0, Stage.DOT, "554 Quux"), said(1, Stage.DOT, OK)])
    streaks.count(1, [said(number, Stage.DOT, "554 Quux") for number in (2, 3, 4)])
    streaks.count(2, [said(9, Stage.DOT, "554 Quux")])
    assert streaks.full()[1].failed == {2, 3, 4}
    assert str(streaks.full()[1].said) == "554 Quux"


def test_dead_readers_amid_taken_messages_stop_nothing() -> None:
    streaks = Streaks()
    for number in range(10):
        row = [said(10 * number + each, Stage.RCPT, GONE) for each in range(LIMIT - 1)]
        streaks.count(1, [*row, said(10 * number + 9, Stage.DOT, OK)])
    assert not streaks.full()


def test_what_was_on_its_way_when_the_mailing_stopped_belongs_to_the_row() -> None:
    streaks = after(Stage.DOT, "554 Quux", 3)
    streaks.full()[1].stopped = True
    streaks.count(1, [said(7, Stage.DOT, "554 Quux"), said(8, Stage.DOT, OK)])
    assert 7 in streaks.full()[1].failed
    streaks.resumed([None, 1])
    assert not streaks.full()


def test_once_messages_are_taken_again_whoever_is_refused_once_more_is_the_cause() -> None:
    streaks = Streaks()
    streaks.count(1, [said(0, Stage.DOT, OK)])
    streaks.count(1, [said(number, Stage.RCPT, GONE, attempts=1) for number in range(99)])
    assert not streaks.full()


def test_while_nothing_is_taken_no_number_of_tries_is_believed() -> None:
    streaks = Streaks()
    streaks.count(1, [said(number, Stage.DOT, "554 Quux", attempts=5) for number in range(3)])
    assert streaks.full()


@pytest.mark.parametrize("line", ["450 4.2.0 Greylisted", "451 later", "452 4.2.2 Mailbox full"])
def test_what_is_said_for_now_weighs_nothing(line: str) -> None:
    assert not after(Stage.RCPT, line, 100).full()
