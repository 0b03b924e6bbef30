"""What operators see of what came back: by issue and segment, class, reason, great provider.

A provider that few of a mailing's messages came back from is not named: in a small segment its name
could tell of a person.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.deliveries.ledger.progress import balance
from app.deliveries.ledger.states import SENT
from app.mailings.models import Mailing
from app.outcomes.models import Diagnostic, OutcomeCount
from app.outcomes.processing import NOT_OURS

N = TypeVar("N")

FEWEST = 5  # messages of one provider
OTHER = "other"
_MOST_SAYINGS = 20


_Counted = Sequence[tuple[str, str, str, int]]
"""Class, reason, provider, count."""


def outcomes_of(session: Session, mailing: Mailing) -> dict[str, Any]:
    """Return what came back of a mailing's messages, as the API and the command line show it."""
    counted = _counted(session, mailing)
    reasons = _summed(((class_, reason), count) for class_, reason, _, count in counted)
    return {
        "mailing": mailing.id,
        "week": mailing.week,
        "segment": mailing.segment,
        "sent": balance(session, mailing).states[SENT],
        "classes": _summed((class_, count) for class_, _, _, count in counted),
        "reasons": [
            {"class": class_, "reason": reason, "count": count}
            for (class_, reason), count in reasons.items()
        ],
        "providers": _providers(counted),
        "diagnostics": _sayings(session, mailing),
    }


def _counted(session: Session, mailing: Mailing) -> _Counted:
    query = (
        select(OutcomeCount.outcome, OutcomeCount.reason, OutcomeCount.provider, OutcomeCount.count)
        .where(OutcomeCount.week == mailing.week, OutcomeCount.segment == mailing.segment)
        .order_by(OutcomeCount.outcome, OutcomeCount.reason, OutcomeCount.provider)
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(query)]


def _summed(pairs: Iterable[tuple[N, int]]) -> dict[N, int]:
    sums: Counter[N] = Counter()
    for name, count in pairs:
        sums[name] += count
    return dict(sums)


def _providers(counted: _Counted) -> dict[str, dict[str, int]]:
    """Count classes by provider, those with few messages under one name."""
    totals = _summed((name, count) for _, _, name, count in counted)
    shown: dict[str, Counter[str]] = {}
    for class_, _, name, count in counted:
        seen = name if name and totals[name] >= FEWEST else OTHER
        shown.setdefault(seen, Counter())[class_] += count
    return {name: dict(classes) for name, classes in sorted(shown.items())}


def _sayings(session: Session, mailing: Mailing) -> list[dict[str, object]]:
    query = (
        select(Diagnostic)
        .where(
            Diagnostic.week == mailing.week,
            Diagnostic.segment == mailing.segment,
            Diagnostic.text.is_not(None),
        )
        .order_by(Diagnostic.count.desc(), Diagnostic.text)
        .limit(_MOST_SAYINGS)
    )
    return [
        {"class": row.outcome, "count": row.count, "text": row.text}
        for row in session.scalars(query)
    ]


def since(session: Session, week: str) -> tuple[int, int]:
    """Return how many messages came back from this week's issue on, and how much proved nothing."""
    query = select(OutcomeCount.segment, func.sum(OutcomeCount.count))
    rows = session.execute(query.where(OutcomeCount.week >= week).group_by(OutcomeCount.segment))
    counted = {segment: int(count) for segment, count in rows}
    foreign = counted.pop(NOT_OURS, 0)
    return sum(counted.values()), foreign


def totals(session: Session) -> list[tuple[str, str, int]]:
    """Return segment, class and count of all that came back: "" stands for what proved nothing."""
    query = select(OutcomeCount.segment, OutcomeCount.outcome, func.sum(OutcomeCount.count))
    rows = session.execute(query.group_by(OutcomeCount.segment, OutcomeCount.outcome))
    return [(segment, outcome, int(count)) for segment, outcome, count in rows]
