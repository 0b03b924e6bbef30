"""The operators' calls for mailings: launch, watch, pause, resume, cancel, decide doubts."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import MAX_ROW_NUMBER
from app.deliveries.ledger.completion import exclude_rest
from app.deliveries.ledger.progress import as_record, as_records
from app.deliveries.ledger.reasons import CANCELLED_BY_OPERATOR
from app.deliveries.ledger.uncertain import list_uncertain, resend, settle
from app.deliveries.schemas import Decided, DoubtDecision, DoubtView, MailingView, MailingWish
from app.issues.api import week_in_path
from app.mailings.control import cancel, pause, resume
from app.mailings.launch import find_mailing, launch
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
    """Send the week's issue to the segment now; a second call answers 200 with the same mailing."""
    week = week_in_path(wish.week)
    try:
        segment = here.newsletter.segment(wish.segment)
    except UnknownSegment:
        raise UnknownSegment(field="segment") from None
    over = here.settings.send_window if wish.over is None else _window(wish.over)
    mailing, new = launch(session, week, segment, by=operator.name, over=over, now=now)
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
    mailing_id: MailingId, session: Writing, operator: Controls, now: Now
) -> MailingView:
    """Let a paused mailing go on."""
    mailing = resume(session, mailing_id)
    note(session, operator.name, "mailing resumed", str(mailing_id), now=now)
    return view(session, mailing, now)


@router.post("/{mailing_id}/cancel")
def post_cancel(
    mailing_id: MailingId, session: Writing, operator: Controls, now: Now
) -> MailingView:
    """End the mailing; whoever has not got the message is excluded."""
    mailing = cancel(session, mailing_id, now=now)
    session.flush()
    exclude_rest(session, mailing_id, CANCELLED_BY_OPERATOR)
    note(session, operator.name, "mailing cancelled", str(mailing_id), now=now)
    return view(session, mailing, now)


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
