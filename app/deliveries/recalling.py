"""Recalling a mailing: while no message was attempted it is undone, and the issue opens again.

A message that a sender has claimed may be attempted at any instant. So a recall first pauses a
mailing that has such, and waits until the senders have given them back or tried them.
"""

import time
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.database import Database, Transaction
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.progress import as_record
from app.deliveries.ledger.states import CLAIMED, OPEN, SENT, UNCERTAIN
from app.errors import DomainError
from app.issues.drafting import find
from app.issues.week import Week
from app.mailings.commit_logging import tell
from app.mailings.control import pause
from app.mailings.launch import find_mailing
from app.mailings.models import Mailing
from app.mailings.states import CANCELLED, ENROLLING, PAUSED, RECALLED, RUNNING, move
from app.mailings.withdrawal import reopen
from app.operators.audit import note

# Senders give back what they hold of a paused mailing within a second.
RELEASED_WITHIN = 5.0  # seconds
_LOOK_EVERY = 0.1


class AlreadyAttempted(DomainError):
    """A message of this mailing was attempted, so it cannot be recalled."""

    def __init__(self, mailing: Mailing, attempted: int, waiting: int) -> None:
        """Say how many were attempted, how many wait, and what can be done instead."""
        super().__init__(
            f"Mailing {mailing.id} cannot be recalled: messages attempted: {attempted} of"
            f" {mailing.audience}. {_way_out(mailing, waiting)}"
        )
        self.facts = {"attempted": attempted, "waiting": waiting, "state": mailing.state}


def _way_out(mailing: Mailing, waiting: int) -> str:
    correct = f"correct the archive (`vestka issue correct {mailing.week} FILE`)"
    revise = f"revise it (`vestka mailing revise {mailing.id} FILE`)"
    resume = f"resume it (`vestka mailing resume {mailing.id}`)"
    if mailing.state == CANCELLED:
        return f"For whoever has nothing yet: {revise}, then {resume}. For all others: {correct}."
    if not waiting:
        return f"Nobody waits for it any more; {correct}."
    pause_first = f"pause it (`vestka mailing pause {mailing.id}`), "
    begin = pause_first if mailing.state != PAUSED else ""
    said = f"{begin}{revise} for those who have nothing yet (waiting: {waiting}), and {resume}."
    return said[0].upper() + said[1:] + f" Or cancel it (`vestka mailing cancel {mailing.id}`)."


class MessagesClaimed(DomainError):
    """Senders hold messages of this mailing at this moment."""

    def __init__(self, mailing: Mailing, claimed: int) -> None:
        """Say how many, and what to do."""
        super().__init__(
            f"Senders hold messages of mailing {mailing.id} at this moment: {claimed}. The mailing"
            f" is {mailing.state}; try again in a few seconds. If a sender died, its messages are"
            " freed within a minute."
        )
        self.facts = {"claimed": claimed, "state": mailing.state}


def recall(session: Transaction, mailing_id: int) -> Mailing:
    """Undo a mailing of which no message was attempted, and open its issue again.

    All approvals of the issue that no other mailing holds are withdrawn. Raises MailingUnknown,
    AlreadyAttempted or MessagesClaimed.
    """
    mailing = find_mailing(session, mailing_id)
    week = Week.parse(mailing.week)
    find(session, week, lock=True)
    mailing = find_mailing(session, mailing_id, lock=True)
    if mailing.state == RECALLED:
        return mailing
    attempted = _count_attempted(session, mailing)
    if attempted:
        raise AlreadyAttempted(mailing, attempted, count_in(session, mailing_id, *OPEN))
    if claimed := count_in(session, mailing_id, CLAIMED):
        raise MessagesClaimed(mailing, claimed)
    mailing.state = move(mailing.state, RECALLED)
    mailing.audience = mailing.finished_at = None
    session.flush()
    reopen(session, week)
    tell(session, "recalled", mailing)
    return mailing


def _count_attempted(session: Session, mailing: Mailing) -> int:
    if mailing.folded:
        return mailing.audience or 0  # only counts are left, and they do not tell
    tried = or_(Delivery.attempts > 0, Delivery.state.in_((SENT, UNCERTAIN)))
    query = select(func.count()).where(Delivery.mailing_id == mailing.id, tried)
    return session.scalar(query) or 0


def count_in(session: Session, mailing_id: int, *states: str) -> int:
    """Count a mailing's deliveries in these states."""
    query = select(func.count()).where(
        Delivery.mailing_id == mailing_id, Delivery.state.in_(states)
    )
    return session.scalar(query) or 0


def recall_mailing(
    database: Database, mailing_id: int, *, by: str, now: datetime
) -> dict[str, object]:
    """Recall a mailing, waiting for senders that hold messages of it; return its record.

    Transactions of its own, because none may be open while it waits. Raises what `recall` raises;
    after MessagesClaimed, and after an attempt that was made meanwhile, the mailing is paused.
    """
    try:
        return _recall(database, mailing_id, by, now)
    except MessagesClaimed:
        with database.transaction() as session:
            if find_mailing(session, mailing_id, lock=True).state in (ENROLLING, RUNNING):
                pause(session, mailing_id)
                note(session, by, "mailing paused", str(mailing_id), now=now)
        wait_until_released(database, mailing_id)
        return _recall(database, mailing_id, by, now)


def _recall(database: Database, mailing_id: int, by: str, now: datetime) -> dict[str, object]:
    with database.transaction() as session:
        mailing = recall(session, mailing_id)
        note(session, by, "mailing recalled", f"{mailing_id}: {mailing.week}", now=now)
        return as_record(session, mailing, now=now)


def wait_until_released(database: Database, mailing_id: int) -> None:
    """Wait some seconds until no sender holds a message of this mailing."""
    for _ in range(int(RELEASED_WITHIN / _LOOK_EVERY)):
        with database.reading() as session:
            if not count_in(session, mailing_id, CLAIMED):
                return
        time.sleep(_LOOK_EVERY)
