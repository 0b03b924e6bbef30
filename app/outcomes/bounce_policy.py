"""What follows for one reader from a message that came back: the law of consequences. Pure.

A sender that is refused is never held against a reader, and an issue that got through wipes the
slate clean: only what came back issue after issue counts.
"""

from dataclasses import dataclass, replace
from datetime import date

from app.mail.classification import Class
from app.settings import BouncePolicy
from app.suppressions.reasons import COMPLAINT, DEAD


@dataclass(frozen=True, slots=True)
class BounceRecord:
    """What is remembered of one reader: issues in a row that came back.

    `week` is the last of them, `hard_week` the last hard one (numbers such as 202504, 0 for none),
    `run` how many there are, `hard` how many of them were hard, `since` the day of the first.
    """

    week: int = 0
    run: int = 0
    hard: int = 0
    hard_week: int = 0
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The new standing, and why the reader is to end, if so (a reason to suppress)."""

    standing: BounceRecord
    ends: str | None = None


CLEAN = BounceRecord()


def judge_reader(
    before: BounceRecord,
    class_: Class,
    week: int,
    rules: BouncePolicy,
    *,
    sure: bool,
    passed: bool,
    today: date,
) -> Judgement:
    """Say what follows from an issue's message that came back.

    `passed` tells whether an issue between `before.week` and `week` got through.
    """
    if class_ is Class.COMPLAINT:
        return Judgement(CLEAN, COMPLAINT)
    if class_ not in (Class.HARD, Class.SOFT):
        return Judgement(before)
    after = _counted(before, class_, week, passed=passed, today=today)
    if class_ is Class.HARD and sure and rules.sure == 1:
        return Judgement(after, DEAD)
    return Judgement(after, DEAD if _ends(after, rules, today) else None)


def judge_service(class_: Class, rules: BouncePolicy, *, sure: bool) -> str | None:
    """Say why a reader is to end whose confirmation or manage link came back; None if not."""
    if class_ is Class.COMPLAINT:
        return COMPLAINT
    return DEAD if class_ is Class.HARD and sure and rules.sure == 1 else None


def judge_subscription(class_: Class, rules: BouncePolicy, *, sure: bool) -> str | None:
    """Say why one subscription is to end whose message came back by weak evidence; None if not.

    Nothing is remembered of it: only what can be proved counts from issue to issue.
    """
    return judge_service(class_, rules, sure=sure)


def _counted(
    before: BounceRecord, class_: Class, week: int, *, passed: bool, today: date
) -> BounceRecord:
    if week < before.week:  # late news of an older issue: newer ones have said more
        return before
    after = before
    if week > before.week:
        old = CLEAN if passed else before
        after = replace(old, week=week, run=old.run + 1, since=old.since or today)
    if class_ is Class.HARD and week > after.hard_week:
        after = replace(after, hard=after.hard + 1, hard_week=week)
    return after


def _ends(now: BounceRecord, rules: BouncePolicy, today: date) -> bool:
    if rules.hard and now.hard >= rules.hard:
        return True
    days = (today - now.since).days if now.since else 0
    return bool(rules.soft) and now.run >= rules.soft and days >= rules.soft_days
