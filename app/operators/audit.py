"""Who did what, when: written in the same transaction as the deed."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.log import redact
from app.operators.models import AuditEntry


def note(session: Transaction, actor: str, action: str, subject: str, *, now: datetime) -> None:
    """Write one line. `subject` names a thing, such as `2025-W04 en`, never a person."""
    session.add(AuditEntry(at=now, actor=actor, action=action, subject=redact(subject)[:200]))


def entries(session: Session, *, before: int | None = None, limit: int = 100) -> list[AuditEntry]:
    """Return the newest entries first, those with a number below `before`."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return list(session.scalars(query))
