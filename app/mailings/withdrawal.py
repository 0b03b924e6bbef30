"""Withdrawing approvals: of what was not launched, or was recalled. The issue is open again then.

Locks are taken in one order, the issue first, then its mailings: so a launch, a withdrawal and a
recall at one moment leave nothing launched that is not approved.
"""

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from app.database import Transaction
from app.editions.models import Edition
from app.errors import DomainError
from app.issues.approval import NotApproved, approved_segments
from app.issues.drafting import find
from app.issues.models import Approval
from app.issues.week import Week
from app.mailings.models import Mailing
from app.mailings.states import RECALLED


class AlreadySent(DomainError):
    """This issue was launched, so its approval cannot be withdrawn."""

    def __init__(self, mailings: list[Mailing] | None = None) -> None:
        """Name the mailings, and say what can be done instead."""
        named = ", ".join(f"{each.id} ({each.segment}, {each.state})" for each in mailings or ())
        super().__init__(
            "This issue was launched, so its approval cannot be withdrawn"
            + (f" (mailing {named}). " if named else ". ")
            + "While no message was attempted, recall the mailing (`vestka mailing recall ID`):"
            " that opens the issue again. Later, pause it and revise it (`vestka mailing revise"
            " ID FILE`) for those who have nothing yet; and correct what the archive shows"
            " (`vestka issue correct`)."
        )


def withdraw(session: Transaction, week: Week) -> None:
    """Withdraw all approvals of a week. Raises IssueUnknown, NotApproved or AlreadySent.

    Editions go with their approval; a mailing holds both fast, whatever happens at the same moment.
    """
    find(session, week, lock=True)
    if not approved_segments(session, week):
        raise NotApproved
    if reopen(session, week):
        raise AlreadySent(_living(session, week))


def reopen(session: Transaction, week: Week) -> tuple[str, ...]:
    """Withdraw the approvals that no mailing holds; return the segments that one still holds.

    The issue must be locked.
    """
    mailings = _locked(session, week)
    held = tuple(sorted(each.segment for each in mailings if each.state != RECALLED))
    recalled = [each.segment for each in mailings if each.state == RECALLED]
    of_week = Approval.week == str(week)
    session.execute(
        update(Approval)
        .where(of_week, Approval.segment.in_(recalled))
        .values(withdrawn=True)
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(Edition).where(Edition.week == str(week), Edition.segment.in_(recalled)))
    try:
        session.execute(
            delete(Approval).where(of_week, Approval.segment.not_in((*recalled, *held)))
        )
    except IntegrityError:  # launched at this very moment
        raise AlreadySent from None
    return held


def _locked(session: Transaction, week: Week) -> list[Mailing]:
    session.flush()
    query = select(Mailing).where(Mailing.week == str(week)).order_by(Mailing.id)
    return list(
        session.scalars(query.with_for_update(), execution_options={"populate_existing": True})
    )


def _living(session: Transaction, week: Week) -> list[Mailing]:
    return [each for each in _locked(session, week) if each.state != RECALLED]
