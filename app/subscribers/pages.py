"""The pages behind the links of letters, and the forms.

GET shows and changes nothing; only a POST acts, and it needs no cookie, script or Origin. Links
that are unknown, expired or made for something else all get the same page.
"""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from starlette.responses import HTMLResponse

from app.newsletter import Newsletter
from app.subscribers.confirmation import asked, confirm
from app.subscribers.forms import form_page, manage_request_page
from app.subscribers.managing import Kept, change, erase, kept
from app.subscribers.schemas import Choice
from app.subscribers.unsubscription import language_of, leaving, unsubscribe
from app.subscribers.wishes import page_language, segments_of
from app.tokens import LinkUnknown
from app.web.bodies import is_form, read_body
from app.web.context import Here, Now, Reading, Writing
from app.web.pages import HEADERS, page

router = APIRouter(tags=["pages"], default_response_class=HTMLResponse)
Asked = Annotated[str | None, Query(max_length=8)]
Responses = dict[int | str, dict[str, Any]]
_PAGE: Responses = {404: {"description": "the link does not work", "content": {"text/html": {}}}}
_ACTED: Responses = {**_PAGE, 303: {"description": "done: see the page named in Location"}}


def names_of(newsletter: Newsletter, segments: tuple[str, ...], language: str) -> list[str]:
    """Return the segments' names in `language`."""
    return [each.name[language] for each in newsletter.segments if each.id in segments]


def not_found(newsletter: Newsletter, language: str | None) -> HTMLResponse:
    """Answer with the one page for every link that does not work."""
    spoken = page_language(newsletter, language, newsletter.languages[0])
    return page("not_found", spoken, status=404, newsletter=newsletter)


def _done(path: str, language: str) -> RedirectResponse:
    return RedirectResponse(f"{path}?language={language}", status_code=303, headers=HEADERS)


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
    "erased",
    "manage_requested",
):
    _notice(_name, f"/{_name.replace('_', '-')}")


@router.get("/form")
def form(here: Here, language: Asked = None) -> Response:
    """Show the sign-up form."""
    spoken = page_language(here.newsletter, language, here.newsletter.languages[0])
    return form_page(here.newsletter, spoken)


@router.get("/confirm/{token}", responses=_PAGE)
def confirm_page(
    token: str, here: Here, session: Reading, now: Now, language: Asked = None
) -> Response:
    """Show what the link confirms, and a button."""
    try:
        facts = asked(session, token, now=now)
    except LinkUnknown:
        return not_found(here.newsletter, language)
    spoken = page_language(here.newsletter, language, facts.language)
    if facts.done:
        return page("already_done", spoken, newsletter=here.newsletter)
    names = names_of(here.newsletter, facts.segments, spoken)
    return page("confirm", spoken, newsletter=here.newsletter, segments=names)


@router.post("/confirm/{token}", responses=_ACTED)
def confirm_act(
    token: str, here: Here, session: Writing, now: Now, language: Asked = None
) -> Response:
    """Confirm; an empty body suffices."""
    try:
        facts = confirm(session, token, now=now)
    except LinkUnknown:
        return not_found(here.newsletter, language)
    spoken = page_language(here.newsletter, language, facts.language)
    return _done("/already-done" if facts.done else "/confirmed", spoken)


@router.get("/unsubscribe/{token}", responses=_PAGE)
def unsubscribe_page(token: str, here: Here, session: Reading, language: Asked = None) -> Response:
    """Show which segment the link ends, and a button."""
    try:
        facts = leaving(here.keys.links, here.newsletter, token)
    except LinkUnknown:
        return not_found(here.newsletter, language)
    spoken = page_language(here.newsletter, language, language_of(session, facts))
    name = facts.segment.name[spoken]
    return page("unsubscribe", spoken, newsletter=here.newsletter, segment=name)


async def _leaving_form(request: Request) -> dict[str, str]:
    """Read the fields sent, if any; a body that is no form is as good as an empty one."""
    if not is_form(request):
        return {}
    async with request.form(max_files=0, max_fields=10) as sent:
        return {name: value for name, value in sent.items() if isinstance(value, str)}


@router.post("/unsubscribe/{token}", responses=_ACTED)
def unsubscribe_act(
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
        return not_found(here.newsletter, language)
    spoken = page_language(here.newsletter, language, language_of(session, facts))
    unsubscribe(session, facts, today=now.date(), everything=sent.get("everything") == "1")
    if sent.get("List-Unsubscribe") == "One-Click":
        return PlainTextResponse("unsubscribed\n", headers=HEADERS)
    return _done("/unsubscribed", spoken)


@router.get("/manage")
def manage_request(here: Here, language: Asked = None) -> Response:
    """Show the form that asks for a manage link."""
    spoken = page_language(here.newsletter, language, here.newsletter.languages[0])
    return manage_request_page(here.newsletter, spoken)


@router.get("/manage/{token}", responses=_PAGE)
def manage_page(
    token: str, here: Here, session: Reading, now: Now, language: Asked = None
) -> Response:
    """Show what is kept, and the forms to change it."""
    try:
        return _manage(here.newsletter, kept(session, token, now=now), language, saved=False)
    except LinkUnknown:
        return not_found(here.newsletter, language)


def _manage(newsletter: Newsletter, facts: Kept, language: str | None, *, saved: bool) -> Response:
    spoken = page_language(newsletter, language, facts.language)
    return page(
        "manage",
        spoken,
        newsletter=newsletter,
        segments=newsletter.segments,
        chosen=facts.confirmed,
        languages=newsletter.languages,
        kept=_kept_pairs(newsletter, facts, spoken),
        saved=saved,
    )


def _kept_pairs(newsletter: Newsletter, facts: Kept, language: str) -> list[tuple[str, str]]:
    pairs = [("language", facts.language)]
    for held in facts.subscriptions:
        name = ", ".join(names_of(newsletter, (held.segment,), language)) or held.segment
        pairs.append(("segments" if held.confirmed_day else "pending", name))
        pairs.append(("requested", held.requested_day.isoformat()))
        if held.confirmed_day:
            pairs.append(("confirmed", held.confirmed_day.isoformat()))
        pairs.append(("consent", held.consent))
        if held.source:
            pairs.append(("source", held.source))
    return pairs


async def _choice(request: Request) -> Choice | None:
    try:
        return await read_body(request, Choice, lists=("segments",))
    except RequestValidationError:
        return None


@router.post("/manage/{token}", responses=_ACTED)
def manage_act(
    token: str,
    here: Here,
    session: Writing,
    now: Now,
    choice: Annotated[Choice | None, Depends(_choice)],
    language: Asked = None,
) -> Response:
    """Save, download or erase; what is not one of these changes nothing."""
    try:
        facts = kept(session, token, now=now)
        if choice is not None and choice.action == "save":
            return _save(here.newsletter, session, token, choice, facts, now)
        if choice is not None and choice.action == "download":
            return _download(facts)
        if choice is not None and choice.action == "erase" and choice.sure:
            erase(session, token, now=now)
            return _done("/erased", page_language(here.newsletter, language, facts.language))
    except LinkUnknown:
        return not_found(here.newsletter, language)
    return _manage(here.newsletter, facts, language, saved=False)


def _save(
    newsletter: Newsletter, session: Writing, token: str, choice: Choice, facts: Kept, now: Now
) -> Response:
    spoken = page_language(newsletter, choice.language, facts.language)
    segments = segments_of(newsletter, choice.segments)
    consent = newsletter.current_consent.version
    change(session, token, segments=segments, language=spoken, consent=consent, now=now)
    if not segments:
        return _done("/erased", spoken)
    session.flush()
    return _manage(newsletter, kept(session, token, now=now), spoken, saved=True)


def _download(facts: Kept) -> Response:
    body = json.dumps(facts.as_record(), ensure_ascii=False, indent=2)
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="vestka.json"'}
    return Response(body, media_type="application/json", headers=headers)
