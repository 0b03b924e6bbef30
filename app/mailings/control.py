"""An operator's hand on a mailing: pause, resume, cancel. Its deliveries are the next room's."""

from datetime import datetime

from app.database import Transaction
from app.mailings.commit_logging import tell
from app.mailings.launch import find_mailing
from app.mailings.models import Mailing
from app.mailings.states import (
    CANCELLED,
    ENROLLING,
    PAUSED,
    RUNNING,
    MoveNotAllowed,
    move,
    not_allowed,
)


def pause(session: Transaction, mailing_id: int) -> Mailing:
    """Stop the mailing where it stands. Raises MailingUnknown or MoveNotAllowed."""
    mailing = find_mailing(session, mailing_id, lock=True)
    if mailing.state != PAUSED:
        mailing.state = move(mailing.state, PAUSED)
        tell(session, "paused", mailing)
    return mailing


def resume(session: Transaction, mailing_id: int) -> Mailing:
    """Let a paused or cancelled mailing go on. Raises MailingUnknown or MoveNotAllowed."""
    mailing = find_mailing(session, mailing_id, lock=True)
    if mailing.state not in (RUNNING, ENROLLING):
        if mailing.state not in (PAUSED, CANCELLED):
            raise MoveNotAllowed(not_allowed(mailing.state, "resumed"))
        mailing.state = move(mailing.state, ENROLLING if mailing.audience is None else RUNNING)
        mailing.finished_at = None
        tell(session, "resumed", mailing)
    return mailing


def cancel(session: Transaction, mailing_id: int, *, now: datetime) -> Mailing:
    """End it: whoever has not got the message will not. Raises MailingUnknown or MoveNotAllowed."""
    mailing = find_mailing(session, mailing_id, lock=True)
    if mailing.state != CANCELLED:
        mailing.state = move(mailing.state, CANCELLED)
        mailing.finished_at = now
        tell(session, "cancelled", mailing)
    return mailing
