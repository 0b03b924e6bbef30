"""Uncertain messages: listed, and held until an operator sends them again or lets them be.

Sent again, a message carries the same Message-ID: a mailbox that has it already can tell.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.database import Transaction
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.states import PENDING, SENT, UNCERTAIN, move
from app.mailings.launch import find_mailing
from app.mailings.states import FINISHED, RUNNING, MoveNotAllowed
from app.mailings.states import move as move_mailing

SETTLED = "settled"


def list_uncertain(session: Session, mailing_id: int) -> list[Delivery]:
    """Return a mailing's uncertain messages. Raises MailingUnknown."""
    find_mailing(session, mailing_id)
    query = select(Delivery).where(Delivery.mailing_id == mailing_id, Delivery.state == UNCERTAIN)
    return list(session.scalars(query.order_by(Delivery.id)))


def resend(
    session: Transaction, mailing_id: int, deliveries: Sequence[int] | None, *, now: datetime
) -> int:
    """Queue uncertain messages again (None: all of the mailing); return how many.

    Raises MailingUnknown, or MoveNotAllowed for a mailing that was cancelled.
    """
    mailing = find_mailing(session, mailing_id, lock=True)
    if mailing.state == FINISHED:
        mailing.state = move_mailing(mailing.state, RUNNING)
        mailing.finished_at = None
    elif mailing.state != RUNNING:
        raise MoveNotAllowed(f"a mailing that is {mailing.state} sends nothing again")
    values = {"state": move(UNCERTAIN, PENDING), "reason": None, "due_at": now}
    return _decide(session, mailing_id, deliveries, values)


def settle(session: Transaction, mailing_id: int, deliveries: Sequence[int] | None) -> int:
    """Count uncertain messages as sent (None: all of the mailing); return how many.

    Raises MailingUnknown.
    """
    find_mailing(session, mailing_id, lock=True)
    values = {"state": move(UNCERTAIN, SENT), "reason": SETTLED}
    return _decide(session, mailing_id, deliveries, values)


def _decide(
    session: Transaction,
    mailing_id: int,
    deliveries: Sequence[int] | None,
    values: Mapping[str, object],
) -> int:
    statement = update(Delivery).where(
        Delivery.mailing_id == mailing_id, Delivery.state == UNCERTAIN
    )
    if deliveries is not None:
        statement = statement.where(Delivery.id.in_(deliveries))
    result: CursorResult[object] = session.execute(  # type: ignore[assignment]
        statement.values(**values).execution_options(synchronize_session=False)
    )
    return result.rowcount
