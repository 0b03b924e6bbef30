"""Watching the shares of what came back: a mailing over a threshold is paused, once, and told of.

If operators let it go on, they have decided: it is not paused for the same reason again.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.deliveries.ledger.progress import balance
from app.deliveries.ledger.states import SENT
from app.mail.classification import Class
from app.mailings.control import pause
from app.mailings.models import Mailing
from app.mailings.states import CANCELLED, PAUSED, RECALLED, MoveNotAllowed
from app.operators.alerts import alert, was_told
from app.outcomes.models import OutcomeCount
from app.outcomes.processing import NEWS
from app.settings import Thresholds

_WATCHED = {Class.COMPLAINT: "complaint", Class.HARD: "hard", Class.BLOCK: "block"}


class Share(NamedTuple):
    """How many of a mailing's messages came back in a class, of how many that went."""

    class_: Class
    returned: int
    sent: int

    @property
    def rate(self) -> float:
        """Of all that went; what came back went, even if it was refused at once."""
        return self.returned / max(self.sent, self.returned)


def is_over(share: Share, thresholds: Thresholds) -> bool:
    """Tell whether a mailing must not go on like this."""
    limit: float = getattr(thresholds, _WATCHED[share.class_])
    return bool(limit) and share.returned >= thresholds.least and share.rate >= limit


class AutoPause:
    """Looks at the counts, and counts the messages sent only where there is news."""

    def __init__(self, thresholds: Thresholds) -> None:
        """Nothing was looked at yet."""
        self._thresholds = thresholds
        self._seen: dict[tuple[int, Class], int] = {}

    def look(self, session: Transaction, *, now: datetime) -> int:
        """Pause and tell of every mailing over a threshold; return how many were."""
        over = 0
        for mailing, class_, count in list(_counts(session, now)):
            if count < self._thresholds.least or self._seen.get((mailing.id, class_)) == count:
                continue
            self._seen[mailing.id, class_] = count
            share = Share(class_, count, balance(session, mailing).states[SENT])
            over += is_over(share, self._thresholds) and self._stop(session, mailing, share, now)
        return over

    def _stop(self, session: Transaction, mailing: Mailing, share: Share, now: datetime) -> bool:
        key = f"returns-{mailing.id}-{share.class_}"
        if was_told(session, key):
            return False
        text = (
            f"Mailing {mailing.id} ({mailing.week}, {mailing.segment}): {share.returned} of"
            f" {max(share.sent, share.returned)} messages came back ({share.class_}),"
            f" {share.rate:.1%}. {_hold(session, mailing)}"
        )
        alert(session, key, text, now=now)
        return True


def _hold(session: Transaction, mailing: Mailing) -> str:
    if mailing.state == PAUSED:
        return "It was paused already."
    try:
        pause(session, mailing.id)
    except MoveNotAllowed:
        return "It was over already."
    return "It is paused until an operator resumes it."


def _counts(session: Session, now: datetime) -> Iterator[tuple[Mailing, Class, int]]:
    query = (
        select(Mailing, OutcomeCount.outcome, func.sum(OutcomeCount.count))
        .join(
            OutcomeCount,
            (OutcomeCount.week == Mailing.week) & (OutcomeCount.segment == Mailing.segment),
        )
        .where(
            Mailing.launched_at > now - NEWS,
            Mailing.state.not_in((CANCELLED, RECALLED)),
            OutcomeCount.outcome.in_([str(each) for each in _WATCHED]),
        )
        .group_by(Mailing.id, OutcomeCount.outcome)
    )
    for mailing, class_, count in session.execute(query):
        yield mailing, Class(class_), int(count)
