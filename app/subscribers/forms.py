"""The two forms as pages, also when what was sent is refused.

A refused form comes back in the reader's language with the field named, and without what was typed.
"""

from starlette.responses import HTMLResponse

from app.errors import DomainError
from app.languages import phrases
from app.newsletter import Newsletter
from app.web.group_commit import TooBusy
from app.web.pages import POLICY, SCRIPTS, page
from app.web.rate_limit import TooManyRequests


def _(phrase: str) -> str:
    return phrase


class FieldWrong(DomainError):
    """A field of the form is missing or cannot be used."""

    def __init__(self, language: str | None, *, field: str) -> None:
        """`language` is what the form says it is in, unchecked."""
        super().__init__(field=field)
        self.language = language


SENTENCES = {
    "email": _("This e-mail address cannot be used. Please check it."),
    "segments": _("Please choose what you would like to get."),
    "language": _("Please choose a language."),
    "altcha": _(
        "Against robots, the browser has to solve a small task before this form can be sent. That"
        " needs JavaScript: please allow it for this page and try again."
    ),
}
BUSY = _("Too many people are subscribing just now. Please try again in a minute.")
OTHERWISE = _("The form was not sent as it should be. Please try again.")


def _problem(refused: DomainError | None, language: str) -> dict[str, str | None] | None:
    if refused is None:
        return None
    field = (refused.field or "").partition(".")[0]
    said = BUSY if isinstance(refused, TooBusy) else SENTENCES.get(field, OTHERWISE)
    sentence = phrases(language).gettext(said)
    return {"sentence": sentence, "field": field if field in SENTENCES else None}


def _status(refused: DomainError | None) -> int:
    if refused is None:
        return 200
    return 503 if isinstance(refused, TooBusy) else 422


def form_page(
    newsletter: Newsletter,
    language: str,
    *,
    refused: DomainError | None = None,
    since: str | None = None,
    asks_for_proof: bool = False,
) -> HTMLResponse:
    """Answer with the sign-up form; with the status and the reason, if it was refused.

    `since` is the stamp of a fresh form; `asks_for_proof` says that it needs JavaScript.
    """
    return page(
        "form",
        language,
        status=_status(refused),
        switchable=refused is None,
        newsletter=newsletter,
        segments=newsletter.segments,
        languages=newsletter.languages,
        consent=newsletter.current_consent.text[language],
        chosen=() if refused is not None and refused.field == "segments" else None,
        problem=_problem(refused, language),
        since=since,
        needs_script=phrases(language).gettext(SENTENCES["altcha"]) if asks_for_proof else None,
        scripted=refused is None,  # what was refused must be seen, not a fresh form in its place
        policy=POLICY if refused else SCRIPTS,
    )


def manage_request_page(
    newsletter: Newsletter, language: str, *, refused: DomainError | None = None
) -> HTMLResponse:
    """Answer with the form that asks for a manage link."""
    return page(
        "manage_request",
        language,
        status=_status(refused),
        switchable=refused is None,
        newsletter=newsletter,
        problem=_problem(refused, language),
    )


def too_many_page(newsletter: Newsletter, language: str, refused: TooManyRequests) -> HTMLResponse:
    """Answer a form that came too often; what was typed is not repeated."""
    answer = page(
        "too_many",
        language,
        status=429,
        switchable=False,
        newsletter=newsletter,
        minutes=refused.minutes,
        everyone=refused.everyone,
    )
    answer.headers["Retry-After"] = str(refused.retry_after)
    return answer
