"""What the operators' API says about issues."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from app.issues.content import IssueContent


class IssueSummary(BaseModel):
    """An issue without its content."""

    model_config = ConfigDict(from_attributes=True)

    week: str
    commentaries: int
    approved: list[str]
    etag: str
    changed_at: datetime


class StoredIssue(BaseModel):
    """An issue with its content."""

    week: str
    approved: list[str]
    etag: str
    changed_at: datetime
    content: IssueContent
