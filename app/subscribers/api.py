"""The calls of the website: a sign-up, and the wish for a manage link.

The answer is the same for every address that is one, known or not (promise 1).
"""

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse

from app.addresses.address import AddressRefused, EmailAddress
from app.errors import DomainError
from app.newsletter import Newsletter
from app.subscribers.form_timestamp import too_fast
from app.subscribers.forms import FieldWrong, form_page, manage_request_page, too_many_page
from app.subscribers.inbox import Inbox
from app.subscribers.proof_of_work import ProofNotAsked, challenge, check
from app.subscribers.schemas import Accepted, PreferencesLinkRequest, SignUpRequest
from app.subscribers.sign_up import Asked, sealed_manage_wish, sealed_wish
from app.subscribers.signup_validation import language_of, page_language, segments_of
from app.web.context import AppContext, Here, Now
from app.web.group_commit import TooBusy
from app.web.problems import field_name
from app.web.rate_limit import RateLimit, TooManyRequests
from app.web.request_body import body_schema, is_form, read_body

router = APIRouter(tags=["readers"])

ANSWERS: dict[int | str, dict[str, Any]] = {
    303: {"description": "the same for a plain form: see the page named in Location"},
    429: {"description": "too many requests from one network, or at all: see Retry-After"},
}


# The two calls take the request alone, and ask for the rest themselves: that is a fifth of what
# they cost, and a flood of sign-ups is the one load that anybody may cause.
def _at(request: Request) -> tuple[AppContext, Inbox, RateLimit]:
    installation: AppContext = request.app.state.installation
    inbox: Inbox = request.app.state.inbox
    throttle: RateLimit = request.app.state.throttle
    return installation, inbox, throttle


async def _wish(request: Request) -> SignUpRequest | FieldWrong:
    try:
        return await read_body(request, SignUpRequest, lists=("segments",))
    except RequestValidationError as wrong:
        return await _for_people(request, wrong)


async def _manage_wish(request: Request) -> PreferencesLinkRequest | FieldWrong:
    try:
        return await read_body(request, PreferencesLinkRequest)
    except RequestValidationError as wrong:
        return await _for_people(request, wrong)


async def _for_people(request: Request, wrong: RequestValidationError) -> FieldWrong:
    """A form's sender is a person, who gets the form again; a program gets the exception."""
    if not is_form(request):
        raise wrong
    sent = (await request.form()).get("language")  # read before, and kept by the request
    language = sent if isinstance(sent, str) else None
    return FieldWrong(language, field=field_name(wrong.errors()[0]["loc"]))


def _address(text: str) -> EmailAddress:
    try:
        return EmailAddress.parse(text)
    except AddressRefused as refused:
        refused.field = "email"
        raise


def _again(
    form: Callable[..., Response],
    newsletter: Newsletter,
    language: str | None,
    refused: DomainError,
) -> Response:
    """Show a refused form once more, in its language."""
    spoken = page_language(newsletter, language, newsletter.languages[0])
    if isinstance(refused, TooManyRequests):
        return too_many_page(newsletter, spoken, refused)
    answer = form(newsletter, spoken, refused=refused)
    if isinstance(refused, TooBusy):
        answer.headers["Retry-After"] = "60"
    return answer


def _accepted(page: str, language: str, *, form: bool) -> Response:
    """Answer as every address is answered: a browser by a page, a program by 202."""
    if form:
        return RedirectResponse(f"{page}?language={language}", status_code=303)
    return JSONResponse(Accepted().model_dump(), status_code=202)


@router.post(
    "/v1/subscriptions",
    status_code=202,
    response_model=Accepted,
    openapi_extra=body_schema(SignUpRequest),
    responses=ANSWERS,
)
async def subscribe(request: Request) -> Response:
    """Ask the address to confirm. The answer never tells whether we knew it."""
    here, inbox, throttle = _at(request)
    wish, form = await _wish(request), is_form(request)
    if isinstance(wish, FieldWrong):
        return _again(form_page, here.newsletter, wish.language, wish)
    try:
        address, asked = _asked(here, wish)
        await throttle.take(request, now=here.clock.now())
        proof = await _proof(here, wish)
        row = sealed_wish(here.keys, address, **asked)
        if not _is_trapped(here, wish):  # a robot is answered like any other, and forgotten
            await inbox.take(row, proof=proof)
    except DomainError as refused:
        if form:
            return _again(form_page, here.newsletter, wish.language, refused)
        raise
    return _accepted("/accepted", row["language"], form=form)


def _asked(here: AppContext, wish: SignUpRequest) -> tuple[EmailAddress, Asked]:
    """Read what was wished for. Raises AddressRefused, UnknownSegment, LanguageNotOffered."""
    address = _address(wish.email)
    segments = segments_of(here.newsletter, wish.segments)
    return address, {
        "segments": segments,
        "language": language_of(here.newsletter, wish.language, segments),
        "consent": here.newsletter.current_consent.version,
        "today": here.clock.now().date(),
        "source": wish.source,
    }


async def _proof(here: AppContext, wish: SignUpRequest) -> bytes | None:
    if not here.settings.asks_for_proof:
        return None
    # In a thread, and without the interpreter's lock: the answers of others do not wait for it.
    return await asyncio.to_thread(check, here.keys.forms, wish.altcha, here.clock.now().date())


def _is_trapped(here: AppContext, wish: SignUpRequest) -> bool:
    """Tell whether only a program can have filled in the form like this."""
    if wish.website:
        return True
    return wish.since is not None and too_fast(here.keys.forms, wish.since, here.clock.now())


@router.get("/v1/challenge", responses={404: {"description": "no proof of work is asked for"}})
def get_challenge(here: Here, now: Now) -> JSONResponse:
    """Give a task to solve before a sign-up, if this installation asks for one (ALTCHA, version 2).

    The solution is sent as `altcha`, as ALTCHA's own programs write it: base64 of
    `{"challenge": …, "solution": {"counter": …, "derivedKey": …}}`.
    """
    if not here.settings.asks_for_proof:
        raise ProofNotAsked
    made = challenge(here.keys.forms, now.date())
    return JSONResponse(made, headers={"Cache-Control": "no-store"})


@router.post(
    "/v1/manage-links",
    status_code=202,
    response_model=Accepted,
    openapi_extra=body_schema(PreferencesLinkRequest),
    responses=ANSWERS,
)
async def ask_for_manage_link(request: Request) -> Response:
    """Mail a link that lives 30 minutes, if the address is known; the answer is always the same."""
    here, inbox, throttle = _at(request)
    wish, form = await _manage_wish(request), is_form(request)
    if isinstance(wish, FieldWrong):
        return _again(manage_request_page, here.newsletter, wish.language, wish)
    try:
        address = _address(wish.email)
        language = language_of(here.newsletter, wish.language, ())
        now = here.clock.now()
        await throttle.take(request, now=now)
        row = sealed_manage_wish(here.keys, address, language=language, today=now.date())
        await inbox.take(row)
    except DomainError as refused:
        if form:
            return _again(manage_request_page, here.newsletter, wish.language, refused)
        raise
    return _accepted("/manage-requested", language, form=form)
