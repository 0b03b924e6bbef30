"""The page behind "never write to me again": the email's own reader objects to all emails."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.responses import HTMLResponse

from app.subscribers.never_again import never_again
from app.subscribers.pages.page_parts import ACTED, PAGE, Asked, done, not_found
from app.subscribers.signup_validation import page_language
from app.tokens import LinkUnknown
from app.web.context import Here, Now, Writing
from app.web.pages import page

router = APIRouter(tags=["pages"], default_response_class=HTMLResponse)


@router.get("/never/{token}", responses=PAGE)
def never_page(request: Request, token: str, here: Here, language: Asked = None) -> Response:
    """Show what the link asks for, and a button. The link names its language and never expires."""
    try:
        here.keys.links.open_never(token)
    except LinkUnknown:
        return not_found(request, here.newsletter)
    spoken = page_language(here.newsletter, language, here.newsletter.languages[0])
    return page("never", spoken, newsletter=here.newsletter)


@router.post("/never/{token}", responses=ACTED)
def never_act(
    request: Request, token: str, here: Here, session: Writing, now: Now, language: Asked = None
) -> Response:
    """Suppress the address; an empty body suffices, and repeating it changes nothing."""
    try:
        facts = here.keys.links.open_never(token)
    except LinkUnknown:
        return not_found(request, here.newsletter)
    never_again(session, facts, today=now.date())
    return done(
        "/never-again", page_language(here.newsletter, language, here.newsletter.languages[0])
    )
