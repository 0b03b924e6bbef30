"""Processes say which keys they use, while they live: only so is it known when all have changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_if_absent
from app.errors import DomainError
from app.key_rotation.models import Generation, KeyUser

ALIVE = timedelta(seconds=45)
"""So long a process counts as alive after it last said so."""


class KeysBehind(DomainError):
    """Newer keys are in use than are here: copy the key files from where they were made."""


def say(
    session: Transaction, user: bytes, role: str, *, seals: int, knows: int, now: datetime
) -> None:
    """Say that this process is alive, and which generations it seals with and knows."""
    session.merge(KeyUser(id=user, role=role, seals=seals, knows=knows, until=now + ALIVE))


def leave(session: Transaction, user: bytes) -> None:
    """Say that this process ends."""
    session.execute(delete(KeyUser).where(KeyUser.id == user))


def alive(session: Session, *, now: datetime) -> Sequence[KeyUser]:
    """Return the processes that are alive."""
    return session.scalars(select(KeyUser).where(KeyUser.until > now)).all()


def forget_dead(session: Transaction, *, now: datetime) -> None:
    """Forget the processes that said nothing for long."""
    session.execute(delete(KeyUser).where(KeyUser.until < now - ALIVE))


def take_into_use(session: Transaction, kid: int) -> None:
    """Write down that a generation is in use."""
    insert_if_absent(session, Generation, [{"kid": kid}])


def refuse_behind(session: Session, kid: int) -> None:
    """Refuse keys that are older than those in use. Raises KeysBehind."""
    newest = session.scalar(select(func.max(Generation.kid)))
    if newest is not None and newest > kid:
        raise KeysBehind
