"""Counting what came back, and what was said: aggregates alone, never beside a reader."""

from datetime import date, timedelta

from sqlalchemy import delete

from app.database import Transaction
from app.dialects import insert_or_add
from app.mail.verdicts import Class, Verdict
from app.outcomes.diagnosing import diagnosis
from app.outcomes.models import Diagnostic, OutcomeCount

FAILURES = (Class.HARD, Class.SOFT, Class.BLOCK, Class.UNKNOWN)
_KEY = ("week", "segment", "outcome", "reason", "provider")


def count_outcome(
    session: Transaction, week: str, segment: str, verdict: Verdict, provider: str
) -> None:
    """Count one letter of this issue (or kind of service letter) that came back."""
    values = (week, segment, str(verdict.class_), verdict.reason[:40], provider[:24])
    row: dict[str, object] = {**dict(zip(_KEY, values, strict=True)), "count": 1}
    insert_or_add(session, OutcomeCount, row, key=_KEY, add="count")


def keep_saying(
    session: Transaction, week: str, segment: str, verdict: Verdict, text: str, *, today: date
) -> None:
    """Count what the server said of a failure, stripped of everything that is a person's."""
    said = diagnosis(text)
    if not said or verdict.class_ not in FAILURES:
        return
    row = {
        "week": week,
        "segment": segment,
        "outcome": str(verdict.class_),
        "text": said,
        "count": 1,
        "day": today,
    }
    insert_or_add(session, Diagnostic, row, key=("week", "segment", "outcome", "text"), add="count")


def forget_sayings(session: Transaction, kept: timedelta, *, today: date) -> None:
    """Delete what servers said longer ago than `kept`; the counts stay."""
    session.execute(delete(Diagnostic).where(Diagnostic.day < today - kept))
