"""Pages that only say something, or hold a form, at addresses without a token."""

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.responses import HTMLResponse

from app.subscribers.form_timestamp import stamp
from app.subscribers.forms import form_page, manage_request_page
from app.subscribers.pages.page_parts import Asked
from app.subscribers.signup_validation import page_language
from app.web.context import Here, Now
from app.web.pages import page

router = APIRouter(tags=["pages"], default_response_class=HTMLResponse)


def _notice(name: str, path: str) -> None:
    """Add a page that only says something, at an address without a token."""

    @router.get(path, name=name)
    def notice(here: Here, language: Asked = None) -> Response:
        spoken = page_language(here.newsletter, language, here.newsletter.languages[0])
        return page(name, spoken, newsletter=here.newsletter)


for _name in (
    "accepted",
    "confirmed",
    "already_done",
    "unsubscribed",
    "never_again",
    "erased",
    "manage_requested",
):
    _notice(_name, f"/{_name.replace('_', '-')}")


@router.get("/form")
def form(here: Here, now: Now, language: Asked = None) -> Response:
    """Show the sign-up form."""
    return form_page(
        here.newsletter,
        page_language(here.newsletter, language, here.newsletter.languages[0]),
        since=stamp(here.keys.forms, now),
        asks_for_proof=here.settings.asks_for_proof,
    )


@router.get("/manage")
def manage_request(here: Here, language: Asked = None) -> Response:
    """Show the form that asks for a manage link."""
    spoken = page_language(here.newsletter, language, here.newsletter.languages[0])
    return manage_request_page(here.newsletter, spoken)
