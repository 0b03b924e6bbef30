"""What a person is told when there is no page to show; a program gets problem+json instead.

Who asks for HTML is a person. What was asked for is not repeated, and nothing is said of why.
"""

from collections.abc import Mapping

from fastapi import Request
from starlette.responses import HTMLResponse

from app.languages import phrases
from app.web.negotiation import language_for
from app.web.pages import page


def _(phrase: str) -> str:
    return phrase


WORDS = {
    404: (
        _("There is no such page"),
        _("A part of its address may be missing: copy it again from the email, the whole line."),
    ),
    405: (_("There is no such page"), _("This address cannot be opened like a page.")),
    503: (
        _("Please try again in a minute"),
        _("The service does not answer right now. Nothing has been changed."),
    ),
}
OTHERWISE = (
    _("That did not work"),
    _("Something went wrong here, and nothing has been changed. Please try again later."),
)


def error_page(
    request: Request, status: int, headers: Mapping[str, str] | None = None
) -> HTMLResponse | None:
    """Return the page that says it; None if a program asked, or this port has no pages."""
    has_pages = getattr(request.app.state, "has_pages", False)
    if not has_pages or "text/html" not in request.headers.get("accept", ""):
        return None
    newsletter = request.app.state.installation.newsletter
    spoken = language_for(request, newsletter)
    title, sentence = map(phrases(spoken).gettext, WORDS.get(status, OTHERWISE))
    told = page(
        "problem",
        spoken,
        status=status,
        switchable=request.method in ("GET", "HEAD"),
        newsletter=newsletter,
        problem_title=title,
        sentence=sentence,
    )
    told.headers.update(headers or {})
    return told
