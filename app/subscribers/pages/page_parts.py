"""What the pages behind links have in common: their languages, their one "no", their way on."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import HTMLResponse

from app.newsletter import Newsletter
from app.web.context import AppContext
from app.web.negotiation import language_for
from app.web.pages import HEADERS, page

Asked = Annotated[str | None, Query(max_length=8)]
Responses = dict[int | str, dict[str, Any]]
PAGE: Responses = {404: {"description": "the link does not work", "content": {"text/html": {}}}}
ACTED: Responses = {**PAGE, 303: {"description": "done: see the page named in Location"}}


def names_of(newsletter: Newsletter, segments: tuple[str, ...], language: str) -> list[str]:
    """Return the segments' names in `language`."""
    return [each.name[language] for each in newsletter.segments if each.id in segments]


def not_found(request: Request, newsletter: Newsletter) -> HTMLResponse:
    """Answer with the one page for every link that does not work; whose it was, nobody knows."""
    spoken = language_for(request, newsletter)
    return page("not_found", spoken, status=404, newsletter=newsletter)


def tombstone(here: AppContext, now: datetime) -> date | None:
    """Return the day through which a list must not bring back who leaves now, if it is kept."""
    kept = here.settings.block_reimport_for
    return None if kept is None else (now + kept).date()


def done(path: str, language: str) -> RedirectResponse:
    """Send the browser on to a page without a token."""
    return RedirectResponse(f"{path}?language={language}", status_code=303, headers=HEADERS)
