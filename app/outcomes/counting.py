"""Counting what came back, and what was said: aggregates alone, never beside a reader."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import delete, update

from app.database import Transaction
from app.dialects import insert_or_add
from app.mail.classification import Class, Verdict
from app.outcomes.models import Diagnostic, OutcomeCount

FEWEST = 3  # messages of which the same was said
FAILURES = (Class.HARD, Class.SOFT, Class.BLOCK, Class.UNKNOWN)
_KEY = ("week", "segment", "outcome", "reason", "provider")


def count_outcome(
    session: Transaction, week: str, segment: str, verdict: Verdict, provider: str
) -> None:
    """Count one message of this issue (or kind of service message) that came back."""
    values = (week, segment, str(verdict.class_), verdict.reason[:40], provider[:24])
    row: dict[str, object] = {**dict(zip(_KEY, values, strict=True)), "count": 1}
    insert_or_add(session, OutcomeCount, row, key=_KEY, add="count")


@dataclass(frozen=True, slots=True)
class Saying:
    """What a server said, fit to be kept, and the pseudonym that stands for it."""

    text: str
    mark: bytes


def keep_saying(
    session: Transaction, week: str, segment: str, class_: Class, said: Saying, *, today: date
) -> None:
    """Count a saying; its text is kept when it was said of `FEWEST` messages.

    What is said of ourselves (a block) is kept at once.
    """
    if not said.text or class_ not in FAILURES:
        return
    key = {"week": week, "segment": segment, "outcome": str(class_), "mark": said.mark}
    at_once = said.text if class_ is Class.BLOCK else None
    row = {**key, "text": at_once, "count": 1, "day": today}
    insert_or_add(session, Diagnostic, row, key=tuple(key), add="count")
    session.execute(
        update(Diagnostic)
        .where(Diagnostic.count >= FEWEST, Diagnostic.text.is_(None))
        .filter_by(**key)
        .values(text=said.text)
        .execution_options(synchronize_session=False)
    )


def forget_sayings(session: Transaction, kept: timedelta, *, today: date) -> None:
    """Delete what servers said longer ago than `kept`; the counts stay."""
    session.execute(delete(Diagnostic).where(Diagnostic.day < today - kept))
