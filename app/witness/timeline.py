"""Whether a database is the one that a witness knows, or an older copy of it that was put back.

Each start of a sender begins an epoch at a position. A witness that was written to beyond where the
next epoch began, or beyond where the database stands, knows more than the database.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_if_absent
from app.instance.models import Epoch, Instance
from app.instance.ownership import ONLY_ROW
from app.tokens import new_id


def stands(session: Session, mark: str, position: int) -> bool:
    """Tell whether the database knows all that was known in this epoch at this position."""
    number = session.scalar(select(Epoch.number).where(Epoch.mark == mark))
    if number is None:
        return False
    following = select(Epoch.began_at).where(Epoch.number > number).order_by(Epoch.number)
    limit = session.scalar(following.limit(1))
    if limit is None:
        limit = session.scalar(select(Instance.position)) or 0
    return position <= limit


def lock_position(session: Transaction) -> Instance:
    """Return the instance, locked: so positions are given one after the other."""
    row = {"id": ONLY_ROW, "name": new_id().hex(), "position": 0}
    insert_if_absent(session, Instance, [row])
    return session.get_one(Instance, ONLY_ROW, with_for_update=True, populate_existing=True)


def newest_epoch(session: Session) -> Epoch | None:
    """Return the epoch that began last."""
    return session.scalar(select(Epoch).order_by(Epoch.number.desc()).limit(1))
