"""What operators are told: by message if VESTKA_ALERTS_TO is set, and always in the log and API."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_if_absent
from app.log import get_logger, redact
from app.operators.models import Alert
from app.tokens import new_id

log = get_logger("operators")


def alert(session: Transaction, key: str, text: str, *, now: datetime) -> None:
    """Tell the operators `text`, once for each `key`; addresses in it are blotted out."""
    row = {"id": new_id(), "key": key[:120], "at": now, "text": redact(text)}
    if insert_if_absent(session, Alert, [row]):
        log.warning("alert", key=key, text=text)


def was_told(session: Session, key: str) -> bool:
    """Tell whether operators were told this already."""
    return session.scalar(select(Alert.id).where(Alert.key == key[:120])) is not None


def recent_alerts(session: Session, limit: int = 100) -> list[Alert]:
    """Return the newest alerts first."""
    return list(session.scalars(select(Alert).order_by(Alert.at.desc()).limit(limit)))
