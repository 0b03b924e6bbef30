"""The operators' calls for mailings: launch, watch, pause, resume, cancel, recall, revise."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import MAX_ROW_NUMBER
from app.deliveries.ledger.cancelling import cancel_mailing, resume_mailing
from app.deliveries.ledger.failed import list_failed, resend_failed
from app.deliveries.ledger.progress import as_record, as_records
from app.deliveries.ledger.uncertain import list_uncertain, resend, settle
from app.deliveries.recalling import recall_mailing
from app.deliveries.revising import revise_mailing
from app.deliveries.schemas import (
    Decided,
    DoubtDecision,
    DoubtView,
    FailedView,
    MailingView,
    MailingWish,
    Resend,
    RevisedMailing,
)
from app.editions.api import finding_views
from app.editions.freezing import EditionContext
from app.issues.api import IfMatch, week_in_path
from app.issues.content import IssueContent
from app.mailings.control import pause
from app.mailings.launch import find_mailing, launch_on_request
from app.mailings.models import Mailing
from app.newsletter import UnknownSegment
from app.operators.api_keys import Operator
from app.operators.audit import note
from app.operators.auth import needs
from app.settings.values import duration
from app.web.context import Here, Now, Reading, Writing
from app.web.strict_json import StrictRoute

router = APIRouter(prefix="/v1/mailings", tags=["mailings"], route_class=StrictRoute)

Reads = Annotated[Operator, Depends(needs("mailings:read"))]
MailingId = Annotated[int, Path(ge=1, le=MAX_ROW_NUMBER)]
Controls = Annotated[Operator, Depends(needs("mailings:control"))]
Approves = Annotated[Operator, Depends(needs("issues:approve"))]


def view(session: Session, mailing: Mailing, now: datetime) -> MailingView:
    """Return a mailing as the API shows it."""
    return MailingView.model_validate(as_record(session, mailing, now=now))


@router.post("", responses={201: {"model": MailingView, "description": "launched by this call"}})
def post_mailing(
    wish: MailingWish,
    response: Response,
    here: Here,
    session: Writing,
    operator: Controls,
    now: Now,
) -> MailingView:
    """Send the week's issue to the segment now; a second call answers 200 with the same mailing.

    One that was cancelled is refused (409, with what to do), and so is a segment without a
    confirmed subscriber; both spend nothing. So is, unless `again` is true, an issue that went out
    before the database was restored; `twice` says how many might get it twice. `state` says where
    an earlier mailing stands.
    """
    week = week_in_path(wish.week)
    try:
        segment = here.newsletter.segment(wish.segment)
    except UnknownSegment:
        raise UnknownSegment(field="segment") from None
    over = here.settings.send_window if wish.over is None else _window(wish.over)
    mailing, new = launch_on_request(
        session, week, segment, by=operator.name, again=wish.again, over=over, now=now
    )
    if new:
        note(session, operator.name, "mailing launched", f"{week} {segment.id}", now=now)
    response.status_code = 201 if new else 200
    return view(session, mailing, now)


def _window(text: str) -> timedelta | None:
    return None if text == "0" else duration(text)


@router.get("")
def get_mailings(session: Reading, _operator: Reads, now: Now) -> list[MailingView]:
    """Return all mailings, the newest first."""
    mailings = session.scalars(select(Mailing).order_by(Mailing.id.desc()).limit(200)).all()
    return [MailingView.model_validate(each) for each in as_records(session, mailings, now=now)]


@router.get("/{mailing_id}")
def get_mailing(mailing_id: MailingId, session: Reading, _operator: Reads, now: Now) -> MailingView:
    """Return a mailing and its balance."""
    return view(session, find_mailing(session, mailing_id), now)


@router.post("/{mailing_id}/pause")
def post_pause(
    mailing_id: MailingId, session: Writing, operator: Controls, now: Now
) -> MailingView:
    """Stop the mailing where it stands, within a second."""
    mailing = pause(session, mailing_id)
    note(session, operator.name, "mailing paused", str(mailing_id), now=now)
    return view(session, mailing, now)


@router.post("/{mailing_id}/resume")
def post_resume(
    mailing_id: MailingId, here: Here, session: Writing, operator: Controls, now: Now
) -> MailingView:
    """Let a paused mailing go on; or a cancelled one, for those who have nothing yet.

    A cancelled one within its life only (VESTKA_RETRY_FOR).
    """
    mailing = resume_mailing(session, mailing_id, life=here.settings.retry_for, now=now)
    note(session, operator.name, "mailing resumed", str(mailing_id), now=now)
    return view(session, mailing, now)


@router.post("/{mailing_id}/cancel")
def post_cancel(
    mailing_id: MailingId, session: Writing, operator: Controls, now: Now
) -> MailingView:
    """End the mailing; whoever has nothing yet is excluded, unless it is resumed in time."""
    mailing = cancel_mailing(session, mailing_id, now=now)
    note(session, operator.name, "mailing cancelled", str(mailing_id), now=now)
    return view(session, mailing, now)


@router.post("/{mailing_id}/recall")
def post_recall(mailing_id: MailingId, here: Here, operator: Controls, now: Now) -> MailingView:
    """Undo a mailing of which no message was attempted; its issue opens again.

    Its approval is withdrawn, and so is that for segments it was not launched to. 409 with numbers
    once a message was attempted. While senders hold messages the mailing is paused and the call
    waits some seconds for them; after a 409 it stays paused.
    """
    record = recall_mailing(here.database, mailing_id, by=operator.name, now=now)
    return MailingView.model_validate(record)


@router.post("/{mailing_id}/revision")
def post_revision(
    mailing_id: MailingId,
    content: IssueContent,
    here: Here,
    operator: Controls,
    _approver: Approves,
    now: Now,
    if_match: IfMatch = None,
) -> RevisedMailing:
    """Store and approve the issue anew, whole, while its mailing is paused.

    Whoever has nothing yet gets the new edition once the mailing is resumed; `sent_by_revision`
    says how many got which. Segments that the issue is approved for and was not launched to get it,
    too. The archive shows it at once. `If-Match` takes the issue's ETag.
    """
    settings = here.settings
    context = EditionContext(here.newsletter, settings.public_url, settings.hosts_photos)
    record, found = revise_mailing(
        here.database, context, mailing_id, content, by=operator.name, if_match=if_match, now=now
    )
    return RevisedMailing.model_validate({**record, "findings": finding_views(found)})


@router.get("/{mailing_id}/uncertain")
def get_uncertain(mailing_id: MailingId, session: Reading, _operator: Reads) -> list[DoubtView]:
    """List the messages of which nobody knows whether the relay has them."""
    return [
        DoubtView(delivery=row.id, relay=row.relay, attempted_at=row.attempted_at)
        for row in list_uncertain(session, mailing_id)
    ]


@router.post("/{mailing_id}/uncertain")
def post_uncertain(
    mailing_id: MailingId, decision: DoubtDecision, session: Writing, operator: Controls, now: Now
) -> Decided:
    """Send uncertain messages again, with the same Message-ID, or count them as sent."""
    if decision.action == "resend":
        count = resend(session, mailing_id, decision.deliveries, now=now)
    else:
        count = settle(session, mailing_id, decision.deliveries)
    note(session, operator.name, f"doubts: {decision.action}", f"{mailing_id}: {count}", now=now)
    return Decided(messages=count)


@router.get("/{mailing_id}/failed")
def get_failed(
    mailing_id: MailingId, session: Reading, _operator: Reads, now: Now
) -> list[FailedView]:
    """Count the messages that failed, by reason and reply, the most first."""
    found = list_failed(session, mailing_id, now=now)
    return [FailedView.model_validate(each._asdict()) for each in found]


@router.post("/{mailing_id}/failed")
def post_failed(
    mailing_id: MailingId,
    session: Writing,
    operator: Controls,
    now: Now,
    wish: Resend | None = None,
) -> Decided:
    """Send again what failed by our own fault, or for one reason, within the mailing's life.

    A finished mailing runs again; a paused one stays paused until it is resumed.
    """
    count = resend_failed(session, mailing_id, wish.reason if wish else None, now=now)
    note(session, operator.name, "failed: resend", f"{mailing_id}: {count}", now=now)
    return Decided(messages=count)
