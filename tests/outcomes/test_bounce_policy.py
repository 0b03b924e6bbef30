"""The law of consequences: who is dead ends soon, who lives never does, and a block ends nobody."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mail.classification import Class
from app.outcomes.bounce_policy import CLEAN, BounceRecord, judge_reader, judge_service
from app.settings import BouncePolicy
from app.suppressions.reasons import COMPLAINT, DEAD

RULES = BouncePolicy()
MONDAY = date(2026, 1, 5)
HARMLESS = sorted(set(Class) - {Class.COMPLAINT, Class.HARD, Class.SOFT})

Issue = tuple[Class | None, bool]
"""What one week's message brought: nothing (it got through), or a class, sure or not."""

issues = st.lists(st.tuples(st.none() | st.sampled_from(sorted(Class)), st.booleans()), max_size=20)


def week_of(number: int) -> int:
    return 202601 + number


def test_a_hard_bounce_after_a_soft_one_of_the_same_issue_counts_as_hard() -> None:
    record = CLEAN
    for class_ in (Class.SOFT, Class.HARD, Class.HARD):
        judged = judge_reader(
            record, class_, week_of(0), RULES, sure=False, passed=False, today=MONDAY
        )
        record = judged.standing
    assert (record.run, record.hard) == (1, 1)


def run(told: Sequence[Issue], rules: BouncePolicy = RULES) -> list[str | None]:
    """Judge a year's issues in order, and return what each one brought about."""
    standing = CLEAN
    ended: list[str | None] = []
    for number, (class_, sure) in enumerate(told):
        if class_ is None:
            ended.append(None)
            continue
        judged = judge_reader(
            standing,
            class_,
            week_of(number),
            rules,
            sure=sure,
            passed=bool(standing.week) and week_of(number) > standing.week + 1,
            today=MONDAY + timedelta(weeks=number),
        )
        standing = judged.standing
        ended.append(judged.ends)
    return ended


def first_end(told: Sequence[Issue], rules: BouncePolicy = RULES) -> int | None:
    ends = run(told, rules)
    return next((number for number, end in enumerate(ends) if end), None)


HARD, SURE, SOFT = (Class.HARD, False), (Class.HARD, True), (Class.SOFT, False)
OK = (None, False)


@pytest.mark.parametrize(
    ("told", "ends"),
    [
        ([SURE], 0),
        ([HARD], None),
        ([HARD, HARD], 1),
        ([HARD, OK, HARD], None),
        ([HARD, SOFT, HARD], 2),
        ([SOFT] * 4, None),
        ([SOFT] * 5, 4),
        ([SOFT] * 4 + [OK] + [SOFT] * 4, None),
        ([(Class.COMPLAINT, False)], 0),
        ([(Class.BLOCK, True)] * 20, None),
    ],
)
def test_the_defaults(told: list[Issue], ends: int | None) -> None:
    assert first_end(told) == ends


def test_five_issues_in_less_than_three_weeks_are_not_enough() -> None:
    standing = CLEAN
    for number in range(6):
        judged = judge_reader(
            standing,
            Class.SOFT,
            week_of(number),
            RULES,
            sure=False,
            passed=False,
            today=MONDAY + timedelta(days=3 * number),
        )
        standing = judged.standing
        assert judged.ends is None
    judged = judge_reader(
        standing,
        Class.SOFT,
        week_of(9),
        RULES,
        sure=False,
        passed=False,
        today=MONDAY + timedelta(days=21),
    )
    assert judged.ends == DEAD


@given(issues)
def test_what_is_the_sender_s_fault_never_ends_a_reader(told: list[Issue]) -> None:
    harmless = [(c, s) for c, s in told if c is None or c in HARMLESS]
    assert first_end(harmless) is None


@given(issues)
def test_leaving_out_what_came_back_never_ends_anyone_sooner(told: list[Issue]) -> None:
    """Each message that gets through can only help."""
    end = first_end(told)
    for number in range(len(told)):
        fewer = [*told[:number], OK, *told[number + 1 :]]
        other = first_end(fewer)
        assert other is None or (end is not None and end <= other)


@given(issues)
def test_without_a_complaint_or_a_sure_word_two_issues_are_needed(told: list[Issue]) -> None:
    unsure = [(c, False) for c, _ in told if c is not Class.COMPLAINT]
    end = first_end(unsure)
    if end is not None:
        assert sum(c in (Class.HARD, Class.SOFT) for c, _ in unsure[: end + 1]) >= 2


@given(issues, st.sampled_from([Class.HARD, Class.SOFT]), st.integers(0, 20))
def test_telling_it_again_changes_nothing(told: list[Issue], class_: Class, week: int) -> None:
    """A second report of the same issue, or a late one of an older, is no second issue."""
    standing = BounceRecord(week_of(20), 1, int(class_ is Class.HARD), week_of(20), MONDAY)
    judged = judge_reader(
        standing,
        class_,
        week_of(week),
        RULES,
        sure=False,
        passed=False,
        today=MONDAY + timedelta(days=99),
    )
    assert judged.standing == standing
    assert judged.ends is None


@given(issues)
def test_zero_means_never(told: list[Issue]) -> None:
    never = BouncePolicy(sure=0, hard=0, soft=0)
    kept = [(c, s) for c, s in told if c is not Class.COMPLAINT]
    assert first_end(kept, never) is None


@given(st.sampled_from(sorted(Class)), st.booleans())
def test_a_service_message_ends_only_what_is_certain(class_: Class, sure: bool) -> None:  # noqa: FBT001 (drawn)
    ends = judge_service(class_, RULES, sure=sure)
    if class_ is Class.COMPLAINT:
        assert ends == COMPLAINT
    else:
        assert ends == (DEAD if class_ is Class.HARD and sure else None)
