"""The page behind the unsubscribe link, and the one-click of RFC 8058 at the same address."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from app.subscribers.pages.page_parts import ACTED, PAGE, Asked, done, not_found, tombstone
from app.subscribers.signup_validation import page_language
from app.subscribers.unsubscription import leaving, unsubscribe
from app.tokens import LinkUnknown
from app.web.context import Here, Now, Writing
from app.web.pages import HEADERS, page
from app.web.request_body import is_form

router = APIRouter(tags=["pages"], default_response_class=HTMLResponse)


@router.get("/unsubscribe/{token}", responses=PAGE)
def unsubscribe_page(request: Request, token: str, here: Here, language: Asked = None) -> Response:
    """Show which segment the link ends, and a button."""
    try:
        facts = leaving(here.keys.links, here.newsletter, token)
    except LinkUnknown:
        return not_found(request, here.newsletter)
    spoken = page_language(here.newsletter, language, facts.language)
    name = facts.segment.name[spoken]
    return page("unsubscribe", spoken, newsletter=here.newsletter, segment=name)


async def _leaving_form(request: Request) -> dict[str, str]:
    """Read the fields sent, if any; a body that is no form is as good as an empty one."""
    if not is_form(request):
        return {}
    try:
        async with request.form(max_files=0, max_fields=10) as sent:
            return {name: value for name, value in sent.items() if isinstance(value, str)}
    except HTTPException as broken:
        if broken.status_code != HTTPStatus.BAD_REQUEST:
            raise
        return {}  # whoever posts here wants to leave, however badly the form was made


@router.post("/unsubscribe/{token}", responses=ACTED)
def unsubscribe_act(
    request: Request,
    token: str,
    here: Here,
    session: Writing,
    now: Now,
    sent: Annotated[dict[str, str], Depends(_leaving_form)],
    language: Asked = None,
) -> Response:
    """Leave, at once. One-click (RFC 8058 §3.2) gets a plain 200, a browser a page."""
    try:
        facts = leaving(here.keys.links, here.newsletter, token)
    except LinkUnknown:
        return not_found(request, here.newsletter)
    spoken = page_language(here.newsletter, language, facts.language)
    unsubscribe(
        session,
        facts,
        today=now.date(),
        everything=sent.get("everything") == "1",
        tombstone=tombstone(here, now),
    )
    if sent.get("List-Unsubscribe") == "One-Click":
        return PlainTextResponse("unsubscribed\n", headers=HEADERS)
    return done("/unsubscribed", spoken)
