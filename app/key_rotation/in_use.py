"""What still needs keys of an older generation; as long as anything does, they are kept."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.key_rotation.key_users import alive
from app.key_rotation.reencryption import key_id
from app.operators.models import TestMessage
from app.subscribers.models import ServiceMessage, SignUp
from app.suppressions.models import SuppressionRequest
from app.tokens import ID_LENGTH

INBOX: tuple[InstrumentedAttribute[bytes] | InstrumentedAttribute[bytes | None], ...] = (
    *(SignUp.hot, SignUp.sealed),
    SuppressionRequest.hot,
    TestMessage.sealed,
)
"""Every column that holds a seal until a sender takes it in."""


def who_does_not_know(session: Session, kid: int, *, now: datetime) -> str:
    """Say who could not open what generation `kid` seals; empty if nobody."""
    roles = sorted({each.role for each in alive(session, now=now) if 0 < each.knows < kid})
    return f"a process that has not read the new keys yet ({', '.join(roles)})" if roles else ""


def who_uses_older(session: Session, kid: int, *, now: datetime) -> str:
    """Say who still seals with keys before generation `kid`; empty if nobody."""
    roles = sorted({each.role for each in alive(session, now=now) if each.seals < kid})
    return f"a process that still seals with older keys ({', '.join(roles)})" if roles else ""


def what_waits_in_inbox(session: Session, kid: int) -> str:
    """Say how much a sender has yet to take in that older keys sealed; empty if nothing."""
    waiting = 0
    for column in INBOX:
        query = select(func.count()).where(key_id(column, 2) != bytes((kid,)))
        waiting += session.scalar(query) or 0
    return f"a sender to take in what is in the inbox ({waiting})" if waiting else ""


def messages_on_their_way(session: Session, kid: int, *, now: datetime) -> int:
    """Count the messages whose links were made before generation `kid`, and still work."""
    query = select(func.count()).where(
        ServiceMessage.fingerprint.is_not(None),
        ServiceMessage.expires_at > now,
        key_id(ServiceMessage.nonce, ID_LENGTH) != bytes((kid,)),
    )
    return session.scalar(query) or 0
