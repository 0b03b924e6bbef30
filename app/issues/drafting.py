"""Storing, reading and deleting the draft of a week's issue.

A draft is stored whole or not at all. Once it is approved for any segment it is closed to edits.
"""

import hashlib
import re
from datetime import datetime
from inspect import getdoc

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_if_absent
from app.errors import DomainError
from app.issues.content import IssueContent, check_content
from app.issues.models import Approval, Issue, IssueVersion
from app.issues.photos import check_known, hold
from app.issues.week import Week
from app.newsletter import Newsletter

NO_CORRECTIONS = "{}"
_ENTITY_TAG = re.compile(r'(W/)?"([^"]*)"')  # RFC 9110 §8.8.3


class IssueUnknown(DomainError):
    """There is no issue for this week."""


class IssueClosed(DomainError):
    """This issue is approved, and so closed to edits.

    Not launched yet: withdraw the approval first (`vestka issue withdraw`). Launched: recall the
    mailing while no message was attempted (`vestka mailing recall`), or else pause and revise it
    (`vestka mailing revise`); what the archive shows can be corrected (`vestka issue correct`).
    """

    def __init__(self) -> None:
        """Say all of it: which of it holds, the issue's mailings tell."""
        super().__init__(" ".join((getdoc(type(self)) or "").split()))


class IssueRecalled(DomainError):
    """A mailing of this issue was recalled, and the ledger keeps both; store another draft."""


class WeekDiffers(DomainError):
    """The week in the content is not the week it is stored for."""


class EtagDiffers(DomainError):
    """The issue has changed since you read it."""


def content_of(issue: Issue | IssueVersion) -> IssueContent:
    """Read a stored issue's content, or that of one of its versions."""
    return IssueContent.model_validate_json(issue.content)


def find(session: Session, week: Week, *, lock: bool = False) -> Issue:
    """Return the week's issue; `lock` keeps others from changing it. Raises IssueUnknown."""
    issue = session.get(Issue, str(week), with_for_update=lock or None, populate_existing=lock)
    if issue is None:
        raise IssueUnknown(field="week")
    return issue


def list_issues(session: Session) -> list[Issue]:
    """Return all issues, the newest week first."""
    return list(session.scalars(select(Issue).order_by(Issue.week.desc())))


def store(
    session: Transaction,
    newsletter: Newsletter,
    week: Week,
    content: IssueContent,
    *,
    now: datetime,
    if_match: str | None = None,
) -> tuple[Issue, bool]:
    """Store the draft; return it, and whether it is new. `if_match` is the ETag it must replace.

    Raises WeekDiffers, UnknownRubric, UnknownLanguage, PhotoUnknown, IssueClosed or EtagDiffers.
    """
    if content.week != week:
        raise WeekDiffers(field="week")
    check_content(content, newsletter)
    check_known(session, content)
    text = content.model_dump_json(exclude_none=True)
    etag = hashlib.sha256(text.encode()).hexdigest()[:32]
    issue = session.get(Issue, str(week), with_for_update=True)
    check_match(issue, if_match)
    if issue is None:
        row = {"week": str(week), "content": text, "etag": etag, "changed_at": now}
        new = insert_if_absent(session, Issue, [row])
        issue = find(session, week, lock=True)
        if new:
            hold(session, str(week), content)
            return issue, True
    if etag != issue.etag:
        _check_open(session, issue)
        issue.content, issue.etag, issue.changed_at = text, etag, now
        issue.corrections = NO_CORRECTIONS
        hold(session, str(week), content)
    return issue, False


def delete(session: Transaction, week: Week, *, if_match: str | None = None) -> None:
    """Delete a draft. Raises IssueUnknown, IssueClosed or EtagDiffers."""
    issue = find(session, week, lock=True)
    check_match(issue, if_match)
    _check_open(session, issue)
    if session.scalar(select(Approval.segment).where(Approval.week == issue.week).limit(1)):
        raise IssueRecalled
    session.delete(issue)


def check_match(issue: Issue | None, if_match: str | None) -> None:
    """Raise EtagDiffers unless this is the issue that If-Match names.

    RFC 9110 §13.1.1: `*` matches anything that is there, a weak tag nothing.
    """
    if if_match is None:
        return
    current = None if issue is None else issue.etag
    wanted = {tag for weak, tag in _ENTITY_TAG.findall(if_match) if not weak}
    if current is None or not (current in wanted or if_match.strip() in ("*", current)):
        raise EtagDiffers


def _check_open(session: Session, issue: Issue) -> None:
    approved = select(Approval.segment).where(
        Approval.week == issue.week, Approval.withdrawn.is_(False)
    )
    if session.scalar(approved.limit(1)):
        raise IssueClosed
