"""The versions of a launched issue: each change adds one, and operators can read all of them.

The newest is the issue's own content. Before the first change there is no row: then the original
is kept together with it.
"""

import hashlib
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_if_absent
from app.errors import DomainError
from app.issues.content import IssueContent, check_content
from app.issues.corrections import Corrections, read_corrections
from app.issues.drafting import WeekDiffers, find
from app.issues.models import Approval, Issue, IssuePhoto, IssueVersion
from app.issues.photos import check_known, ids_in
from app.issues.week import Week
from app.newsletter import Newsletter

ORIGINAL = "original"
REVISION = "revision"
CORRECTION = "correction"
WITHDRAWAL = "withdrawal"
REINSTATEMENT = "reinstatement"


class VersionUnknown(DomainError):
    """The issue has no version of this number."""


def corrections_of(issue: Issue) -> Corrections:
    """Read what readers are told of an issue's corrections."""
    return read_corrections(issue.corrections)


def add_version(
    session: Transaction,
    newsletter: Newsletter,
    issue: Issue,
    content: IssueContent,
    corrections: Corrections,
    *,
    kind: str,
    by: str,
    now: datetime,
) -> int:
    """Make this the newest version of a locked issue; return its number.

    Raises WeekDiffers, UnknownRubric, UnknownLanguage or PhotoUnknown.
    """
    if str(content.week) != issue.week:
        raise WeekDiffers(field="content.week")
    check_content(content, newsletter)
    check_known(session, content)
    newest = _keep_current(session, issue)
    issue.content = content.model_dump_json(exclude_none=True)
    issue.corrections = corrections.model_dump_json()
    number = newest + 1
    # The number makes the tag differ even where the text is that of an earlier version again.
    whole = f"{number} {issue.content} {issue.corrections}"
    issue.etag = hashlib.sha256(whole.encode()).hexdigest()[:32]
    issue.changed_at = now
    session.add(
        IssueVersion(
            week=issue.week,
            version=number,
            kind=kind,
            content=issue.content,
            corrections=issue.corrections,
            made_at=now,
            made_by=by,
        )
    )
    session.flush()
    _hold(session, issue.week, content, corrections)
    return number


def _keep_current(session: Transaction, issue: Issue) -> int:
    """Keep what the issue holds now, unless it is kept already; return its version's number.

    It is not if the issue was never changed, or was recalled and stored anew.
    """
    query = select(IssueVersion).where(IssueVersion.week == issue.week)
    newest = session.scalar(query.order_by(IssueVersion.version.desc()).limit(1))
    if newest is not None and newest.content == issue.content:
        return newest.version
    approved = select(Approval.approved_by).where(Approval.week == issue.week)
    by = session.scalar(approved.order_by(Approval.approved_at, Approval.segment).limit(1))
    number = newest.version + 1 if newest is not None else 1
    session.add(
        IssueVersion(
            week=issue.week,
            version=number,
            kind=ORIGINAL,
            content=issue.content,
            corrections=issue.corrections,
            made_at=issue.changed_at,
            made_by=by or "",
        )
    )
    return number


def _hold(session: Transaction, week: str, content: IssueContent, corrections: Corrections) -> None:
    """Hold fast what this version shows, beside what earlier ones did.

    What only a withdrawn commentary shows is withdrawn from readers, too.
    """
    rows = [{"week": week, "photo_id": photo_id} for photo_id in ids_in(content)]
    insert_if_absent(session, IssuePhoto, rows)
    hidden, shown = set[str](), set[str]()
    for number, commentary in enumerate(content.commentaries, 1):
        if commentary.photo is not None and commentary.photo.id is not None:
            (hidden if number in corrections.withdrawn else shown).add(commentary.photo.id)
    held = session.scalars(select(IssuePhoto).where(IssuePhoto.week == week)).all()
    for photo in held:
        if photo.photo_id in hidden | shown:
            photo.withdrawn = photo.photo_id not in shown


def list_versions(session: Session, week: Week) -> list[IssueVersion]:
    """Return the versions of an issue, the newest first; none if it was never changed.

    Raises IssueUnknown.
    """
    find(session, week)
    query = select(IssueVersion).where(IssueVersion.week == str(week))
    return list(session.scalars(query.order_by(IssueVersion.version.desc())))


def find_version(session: Session, week: Week, number: int) -> IssueVersion:
    """Return one version of an issue. Raises IssueUnknown or VersionUnknown."""
    find(session, week)
    version = session.get(IssueVersion, (str(week), number))
    if version is None:
        raise VersionUnknown(field="version")
    return version
