"""The page behind the link of a confirmation email."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.responses import HTMLResponse

from app.subscribers.confirmation import asked, confirm
from app.subscribers.pages.page_parts import ACTED, PAGE, Asked, done, names_of, not_found
from app.subscribers.signup_validation import page_language
from app.tokens import LinkUnknown
from app.web.context import Here, Now, Reading, Writing
from app.web.pages import page

router = APIRouter(tags=["pages"], default_response_class=HTMLResponse)


@router.get("/confirm/{token}", responses=PAGE)
def confirm_page(
    request: Request, token: str, here: Here, session: Reading, now: Now, language: Asked = None
) -> Response:
    """Show what the link confirms, and a button."""
    try:
        facts = asked(session, token, now=now)
    except LinkUnknown:
        return not_found(request, here.newsletter)
    spoken = page_language(here.newsletter, language, facts.language)
    if facts.done:
        return page("already_done", spoken, newsletter=here.newsletter)
    names = names_of(here.newsletter, facts.segments, spoken)
    return page("confirm", spoken, newsletter=here.newsletter, segments=names)


@router.post("/confirm/{token}", responses=ACTED)
def confirm_act(
    request: Request, token: str, here: Here, session: Writing, now: Now, language: Asked = None
) -> Response:
    """Confirm; an empty body suffices."""
    try:
        facts = confirm(session, token, now=now)
    except LinkUnknown:
        return not_found(request, here.newsletter)
    spoken = page_language(here.newsletter, language, facts.language)
    return done("/already-done" if facts.done else "/confirmed", spoken)
