"""The table of reasons: what each forbids, and that none is left undecided."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import String

from app.suppressions.models import Suppression
from app.suppressions.reasons import (
    COMPLAINT,
    DEAD,
    LEFT,
    NEVER,
    OPERATOR,
    REASONS,
    Act,
    forbidding,
    gravest,
    last_day,
)

TODAY = date(2026, 11, 24)


def test_an_objection_forbids_everything_for_ever() -> None:
    for reason in (NEVER, OPERATOR):
        assert REASONS[reason].forbids == set(Act)
        assert last_day(reason, TODAY) is None


def test_after_a_complaint_whoever_asks_gets_an_answer_and_no_issue() -> None:
    """Only a confirmation lifts it, so a confirmation must be able to reach them."""
    assert REASONS[COMPLAINT].forbids == {Act.IMPORT, Act.ISSUE}
    assert last_day(COMPLAINT, TODAY) is None


def test_a_dead_mailbox_may_be_alive_again() -> None:
    assert REASONS[DEAD].forbids == set(Act)
    assert last_day(DEAD, TODAY) == TODAY + timedelta(days=30)


def test_who_left_is_kept_from_lists_alone() -> None:
    """Their own sign-up is their own act."""
    assert REASONS[LEFT].forbids == {Act.IMPORT}
    assert LEFT not in forbidding(Act.ADMISSION) + forbidding(Act.ISSUE) + forbidding(Act.ANSWER)


def test_every_reason_fits_its_column() -> None:
    kind = Suppression.__table__.c.reason.type
    assert isinstance(kind, String)
    assert all(len(reason) <= (kind.length or 0) for reason in REASONS)
    assert all(each.says for each in REASONS.values())


@given(st.lists(st.sampled_from(list(REASONS)), min_size=1), st.randoms())
def test_the_gravest_does_not_depend_on_the_order(names: list[str], chance: object) -> None:
    found = gravest(names)
    assert found == gravest(reversed(names))
    assert found in names
