"""Where a mailing stands: its balance, as people and programs read it."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.deliveries.models import Delivery, FoldedCount
from app.deliveries.states import EXCLUDED, OPEN, STATES
from app.mailings.models import Mailing


@dataclass
class Balance:
    """How many letters stand in each state, and why some readers were left out."""

    audience: int | None
    states: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATES, 0))
    excluded: dict[str, int] = field(default_factory=dict)

    def add(self, state: str, reason: str | None, count: int) -> None:
        """Count `count` letters."""
        self.states[state] += count
        if state == EXCLUDED:
            why = reason or "unknown"
            self.excluded[why] = self.excluded.get(why, 0) + count

    @property
    def balances(self) -> bool:
        """Whether the books balance: each of the audience stands in exactly one state."""
        return self.audience is None or self.audience == sum(self.states.values())


def balance(session: Session, mailing: Mailing) -> Balance:
    """Count a mailing's letters: none before its audience is frozen."""
    if mailing.audience is None:
        return Balance(None)  # a session that writes may see letters that its mailing knows not yet
    source: type[Delivery | FoldedCount] = FoldedCount if mailing.folded else Delivery
    count = func.sum(FoldedCount.count) if mailing.folded else func.count()
    rows = session.execute(
        select(source.state, source.reason, count)
        .where(source.mailing_id == mailing.id)
        .group_by(source.state, source.reason)
    )
    result = Balance(mailing.audience)
    for state, reason, number in rows:
        result.add(state, reason, int(number))
    return result


def unbalanced(session: Session) -> list[int]:
    """Return the numbers of the mailings whose books do not balance: always none."""
    mailings = session.scalars(select(Mailing)).all()
    return [mailing.id for mailing in mailings if not balance(session, mailing).balances]


def pace(books: Balance, mailing: Mailing, now: datetime) -> tuple[float | None, int | None]:
    """Return how many letters a second were dealt with since the launch, and the seconds left.

    None where there is nothing to tell yet, or nothing more to come.
    """
    elapsed = ((mailing.finished_at or now) - mailing.launched_at).total_seconds()
    waiting = sum(books.states[state] for state in OPEN)
    dealt_with = sum(books.states.values()) - waiting
    if elapsed <= 0 or not dealt_with:
        return None, None
    rate = dealt_with / elapsed
    return round(rate, 1), round(waiting / rate) if waiting else None


def as_record(session: Session, mailing: Mailing, *, now: datetime) -> dict[str, object]:
    """Return a mailing with its balance, as the API and the command line show it."""
    books = balance(session, mailing)
    rate, seconds_left = pace(books, mailing, now)
    return {
        "id": mailing.id,
        "week": mailing.week,
        "segment": mailing.segment,
        "state": mailing.state,
        "audience": books.audience,
        **{state: books.states[state] for state in STATES if state != EXCLUDED},
        "excluded": books.excluded,
        "launched_at": _iso(mailing.launched_at),
        "launched_by": mailing.launched_by,
        "over": mailing.over,
        "finished_at": _iso(mailing.finished_at),
        "rate": rate,
        "seconds_left": seconds_left,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
