"""The operators' calls for drafts: store, read, list, delete."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Response

from app.issues.approval import approved_segments
from app.issues.content import IssueContent
from app.issues.drafting import content_of, delete, find, list_issues, store
from app.issues.models import Issue
from app.issues.schemas import IssueSummary, StoredIssue
from app.issues.week import NoSuchWeek, Week
from app.operators.api_keys import Operator
from app.operators.audit import note
from app.operators.auth import needs
from app.web.context import Here, Now, Reading, Writing
from app.web.openapi import WEEK
from app.web.strict_json import StrictRoute

router = APIRouter(prefix="/v1/issues", tags=["issues"], route_class=StrictRoute)

Reads = Annotated[Operator, Depends(needs("issues:read"))]
Writes = Annotated[Operator, Depends(needs("issues:write"))]
IfMatch = Annotated[str | None, Header(description="the ETag that the issue must still have")]


def week_in_path(week: Annotated[str, Path(json_schema_extra=WEEK)]) -> Week:
    """Read the week named in a path, such as 2025-W04. Raises NoSuchWeek."""
    try:
        return Week.parse(week)
    except NoSuchWeek as refused:
        refused.field = "week"
        raise


WeekPath = Annotated[Week, Depends(week_in_path)]


def _stored(session: Reading, issue: Issue, response: Response) -> StoredIssue:
    response.headers["ETag"] = f'"{issue.etag}"'
    content = content_of(issue)
    return StoredIssue(
        week=issue.week,
        approved=list(approved_segments(session, content.week)),
        etag=issue.etag,
        changed_at=issue.changed_at,
        content=content,
    )


@router.put("/{week}", responses={201: {"model": StoredIssue, "description": "stored as new"}})
def put_issue(
    operator: Writes,
    week: WeekPath,
    content: IssueContent,
    response: Response,
    here: Here,
    session: Writing,
    now: Now,
    if_match: IfMatch = None,
) -> StoredIssue:
    """Store the week's draft, whole; 201 if it is new."""
    issue, new = store(session, here.newsletter, week, content, now=now, if_match=if_match)
    note(session, operator.name, "issue stored", str(week), now=now)
    response.status_code = 201 if new else 200
    return _stored(session, issue, response)


@router.get("/{week}")
def get_issue(
    _operator: Reads, week: WeekPath, response: Response, session: Reading
) -> StoredIssue:
    """Return the week's issue as it is stored."""
    return _stored(session, find(session, week), response)


@router.delete("/{week}", status_code=204)
def delete_issue(
    operator: Writes, week: WeekPath, session: Writing, now: Now, if_match: IfMatch = None
) -> None:
    """Delete a draft that is not approved."""
    delete(session, week, if_match=if_match)
    note(session, operator.name, "issue deleted", str(week), now=now)


@router.get("")
def get_issues(session: Reading, _operator: Reads) -> list[IssueSummary]:
    """Return all issues, the newest week first."""
    return [
        IssueSummary(
            week=issue.week,
            commentaries=len(content_of(issue).commentaries),
            approved=list(approved_segments(session, Week.parse(issue.week))),
            etag=issue.etag,
            changed_at=issue.changed_at,
        )
        for issue in list_issues(session)
    ]
