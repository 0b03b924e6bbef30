"""The operators' calls for corrections of what was sent, and for its earlier versions."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from app.archive.correcting import correct, reinstate_commentary, withdraw_commentary
from app.database import MAX_ROW_NUMBER
from app.editions.api import FindingView, finding_views
from app.editions.freezing import EditionContext
from app.editions.lint.rules import Finding
from app.issues.api import IfMatch, WeekPath
from app.issues.content import IssueContent
from app.issues.corrections import ByLanguage, Corrections, read_corrections
from app.issues.drafting import WeekDiffers, content_of
from app.issues.versions import find_version, list_versions
from app.operators.api_keys import Operator
from app.operators.audit import note
from app.operators.auth import needs
from app.web.context import Here, Now, Reading, Writing
from app.web.request_body import Body
from app.web.strict_json import StrictRoute

router = APIRouter(prefix="/v1/issues", tags=["issues"], route_class=StrictRoute)

Reads = Annotated[Operator, Depends(needs("issues:read"))]
Approves = Annotated[Operator, Depends(needs("issues:approve"))]
Number = Annotated[int, Field(ge=1, le=30, description="a commentary, counted from 1")]
VersionPath = Annotated[int, Path(ge=1, le=MAX_ROW_NUMBER)]


class CorrectionWish(Body):
    """One of three: `content` with a `note`, `withdraw` with a `reason`, `reinstate` with a `note`.

    Notes and reasons are plain text that readers see with the day; each segment whose archive shows
    the issue needs one of its languages.
    """

    content: IssueContent | None = None
    note: ByLanguage | None = None
    withdraw: Number | None = None
    reason: ByLanguage | None = None
    reinstate: Number | None = None

    @model_validator(mode="after")
    def one_act(self) -> Self:
        """Refuse what is no act, or two."""
        acts = [self.content, self.withdraw, self.reinstate]
        if sum(act is not None for act in acts) != 1:
            raise PydanticCustomError("acts", "give one of content, withdraw and reinstate")
        needed, other = ("reason", "note") if self.withdraw is not None else ("note", "reason")
        if getattr(self, needed) is None or getattr(self, other) is not None:
            raise PydanticCustomError(
                "needed",
                "content and reinstate need a note and no reason, withdraw a reason and no note",
            )
        return self


class Corrected(BaseModel):
    """The version that readers see now; the ETag is the issue's new one."""

    week: str
    version: int
    etag: str
    findings: list[FindingView]


class VersionSummary(BaseModel):
    """A version of a launched issue; the newest is what readers see."""

    model_config = ConfigDict(from_attributes=True)

    version: int
    kind: Annotated[
        str,
        Field(description="original, revision, correction, withdrawal or reinstatement"),
    ]
    made_at: datetime
    made_by: str


class StoredVersion(VersionSummary):
    """A version with its content, and what readers were told of corrections then."""

    content: IssueContent
    corrections: Corrections


@router.post("/{week}/corrections")
def post_correction(
    wish: CorrectionWish,
    week: WeekPath,
    response: Response,
    here: Here,
    session: Writing,
    operator: Approves,
    now: Now,
    if_match: IfMatch = None,
) -> Corrected:
    """Correct what the archive shows of a launched issue; no message is sent.

    Pages, feed and JSON show the new text with the dated note, or in a commentary's place since
    when and why it is withdrawn. Earlier versions are kept for operators.
    """
    context = EditionContext(here.newsletter, here.settings.public_url, here.settings.hosts_photos)
    by, found = operator.name, tuple[Finding, ...]()
    if wish.content is not None:
        if wish.content.week != week:
            raise WeekDiffers(field="content.week")
        issue, number, found = correct(
            session, context, wish.content, wish.note or {}, by=by, if_match=if_match, now=now
        )
        said = "issue corrected"
    elif wish.withdraw is not None:
        which, reason = wish.withdraw, wish.reason or {}
        issue, number = withdraw_commentary(
            session, context, week, which, reason, by=by, if_match=if_match, now=now
        )
        said = "commentary withdrawn"
    else:
        which, told = wish.reinstate or 0, wish.note or {}
        issue, number = reinstate_commentary(
            session, context, week, which, told, by=by, if_match=if_match, now=now
        )
        said = "commentary reinstated"
    note(session, by, said, f"{week} version {number}", now=now)
    response.headers["ETag"] = f'"{issue.etag}"'
    return Corrected(
        week=issue.week, version=number, etag=issue.etag, findings=finding_views(found)
    )


@router.get("/{week}/versions")
def get_versions(_operator: Reads, week: WeekPath, session: Reading) -> list[VersionSummary]:
    """List the versions of an issue, the newest first; none if it was never changed."""
    return [VersionSummary.model_validate(each) for each in list_versions(session, week)]


@router.get("/{week}/versions/{version}")
def get_version(
    _operator: Reads, week: WeekPath, version: VersionPath, session: Reading
) -> StoredVersion:
    """Return one version of an issue, whole."""
    found = find_version(session, week, version)
    return StoredVersion(
        version=found.version,
        kind=found.kind,
        made_at=found.made_at,
        made_by=found.made_by,
        content=content_of(found),
        corrections=read_corrections(found.corrections),
    )
