"""The operators' calls for approval, which freezes the editions, and for looking at them."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from app.editions.freezing import freeze
from app.editions.lint.rules import Finding, Level, examine
from app.editions.preview import preview, to_look_at
from app.editions.truncation import html_size
from app.issues.api import WeekPath
from app.issues.approval import approve
from app.issues.drafting import content_of, find
from app.newsletter import UnknownSegment
from app.operators.api_keys import Operator
from app.operators.audit import note
from app.operators.auth import needs
from app.web.context import Here, Now, Reading, Writing
from app.web.openapi import names
from app.web.request_body import Body
from app.web.strict_json import StrictRoute

router = APIRouter(prefix="/v1/issues", tags=["issues"], route_class=StrictRoute)

Reads = Annotated[Operator, Depends(needs("issues:read"))]
Approves = Annotated[Operator, Depends(needs("issues:approve"))]


class ApprovalWish(Body):
    """For which segments; all if left out."""

    segments: Annotated[list[str], Field(min_length=1, max_length=20)] | None = None


class FindingView(BaseModel):
    """What an editor should know: an error blocks approval, a warning does not."""

    model_config = ConfigDict(from_attributes=True)

    level: Level
    where: Annotated[str, Field(examples=["commentaries.0.texts.be.title"])]
    message: str


class Approved(BaseModel):
    """What is approved now, and what there is to warn of."""

    week: str
    segments: list[str]
    findings: list[FindingView]


class EditionView(BaseModel):
    """An edition as a message: the reader's own link is a placeholder in it."""

    week: str
    segment: str
    language: str
    subject: str
    html: str
    text: str
    size: Annotated[
        int, Field(description="bytes of the HTML part, decoded or encoded, whichever are more")
    ]
    findings: list[FindingView]


Language = Annotated[str, Field(max_length=8, json_schema_extra=names("languages"))]


@router.post("/{week}/approval")
def post_approval(
    operator: Approves,
    week: WeekPath,
    here: Here,
    session: Writing,
    now: Now,
    wish: ApprovalWish | None = None,
) -> Approved:
    """Approve for these segments, or all; or else 409 with what is missing, and approve none."""
    segments = wish.segments if wish else None
    approved = approve(session, here.newsletter, week, segments, by=operator.name, now=now)
    url = here.settings.public_url
    hosted = here.settings.hosts_photos
    found = freeze(session, here.newsletter, week, approved, public_url=url, hosted=hosted, now=now)
    note(session, operator.name, "issue approved", f"{week} {' '.join(approved)}", now=now)
    return Approved(week=str(week), segments=list(approved), findings=finding_views(found))


@router.get("/{week}/editions/{segment}")
def get_edition(
    _operator: Reads,
    week: WeekPath,
    segment: Annotated[str, Path(json_schema_extra=names("ids"))],
    here: Here,
    session: Reading,
    language: Annotated[Language | None, Query()] = None,
) -> EditionView:
    """Return what the segment would get, and what an editor should know of it."""
    try:
        found = here.newsletter.segment(segment)
    except UnknownSegment:
        raise UnknownSegment(field="segment") from None
    url = here.settings.public_url
    hosted = here.settings.hosts_photos
    rendered = preview(
        session, here.newsletter, week, found, public_url=url, hosted=hosted, language=language
    )
    spoken = language or found.languages[0]
    content = content_of(find(session, week))
    shown = to_look_at(rendered)
    return EditionView(
        week=str(week),
        segment=found.id,
        language=spoken,
        subject=rendered.subject,
        html=shown.html,
        text=shown.text,
        size=html_size(rendered.html),
        findings=finding_views(examine(content, found, spoken, rendered, url)),
    )


def finding_views(findings: Sequence[Finding]) -> list[FindingView]:
    """Return findings as the API shows them."""
    return [FindingView.model_validate(each) for each in findings]
