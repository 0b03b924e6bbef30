"""Who may not be written to, asked by blind index; and how many there are, which is all to list."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.suppressions.models import Suppression
from app.suppressions.reasons import REASONS, Act, forbidding, gravest


def standing(today: date) -> ColumnElement[bool]:
    """Select what has not ended."""
    return or_(Suppression.until.is_(None), Suppression.until >= today)


def forbidden(
    session: Session, act: Act, indexes: Collection[bytes], *, today: date
) -> dict[bytes, str]:
    """Return the gravest reason that forbids `act`, for those of the indexes that have one."""
    found = reasons_against(session, act, indexes, today=today)
    return {index: gravest(reasons) for index, reasons in found.items()}


def reasons_against(
    session: Session, act: Act, indexes: Collection[bytes], *, today: date
) -> dict[bytes, set[str]]:
    """Return all reasons that forbid `act`, for those of the indexes that have one."""
    if not indexes:
        return {}
    rows = session.execute(
        select(Suppression.blind_index, Suppression.reason).where(
            Suppression.blind_index.in_(list(indexes)),
            Suppression.reason.in_(forbidding(act)),
            standing(today),
        )
    )
    found: dict[bytes, set[str]] = {}
    for index, reason in rows:
        found.setdefault(index, set()).add(reason)
    return found


def anyone(session: Session) -> bool:
    """Tell whether anybody is suppressed: if not, nothing need be looked for message by message."""
    return session.scalar(select(Suppression.reason).limit(1)) is not None


def reasons_of(session: Session, indexes: Collection[bytes], *, today: date) -> list[str]:
    """Return every reason that stands against one address (all its indexes), gravest first."""
    query = select(Suppression.reason).where(
        Suppression.blind_index.in_(list(indexes)), standing(today)
    )
    found = set(session.scalars(query))
    return [reason for reason in REASONS if reason in found]


def counts(session: Session, *, today: date) -> dict[str, int]:
    """Return how many suppressions stand, by reason."""
    query = select(Suppression.reason, func.count()).where(standing(today))
    counted = {row[0]: row[1] for row in session.execute(query.group_by(Suppression.reason))}
    return {reason: counted.get(reason, 0) for reason in REASONS}
