"""A reader's own page: what they get, what is kept about them, and the way out."""

import json
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.responses import HTMLResponse

from app.languages import day, phrases
from app.newsletter import Newsletter
from app.subscribers.pages.page_parts import (
    ACTED,
    PAGE,
    Asked,
    done,
    names_of,
    not_found,
    tombstone,
)
from app.subscribers.preferences import Kept, change, erase, kept
from app.subscribers.schemas import Choice
from app.subscribers.service_message_kinds import CONFIRMATION
from app.subscribers.signup_validation import page_language, segments_of
from app.tokens import LinkUnknown
from app.web.context import Here, Now, Reading, Writing
from app.web.pages import HEADERS, page
from app.web.request_body import read_body


def _(phrase: str) -> str:
    return phrase


ALSO_KEPT = (
    _("A fingerprint of your address, from which it cannot be read, so that it is entered once."),
    _(
        "While an issue goes out: that an email to you is due, sent or late. When the last one is"
        " out, only totals are left."
    ),
    _(
        "If emails to you come back: how many in a row, under a pseudonym. It goes when one gets"
        " through."
    ),
)

router = APIRouter(tags=["pages"], default_response_class=HTMLResponse)


@router.get("/manage/{token}", responses=PAGE)
def manage_page(
    request: Request, token: str, here: Here, session: Reading, now: Now, language: Asked = None
) -> Response:
    """Show what is kept, and the forms to change it."""
    try:
        return _manage(here.newsletter, kept(session, token, now=now), language, saved=False)
    except LinkUnknown:
        return not_found(request, here.newsletter)


def _manage(newsletter: Newsletter, facts: Kept, language: str | None, *, saved: bool) -> Response:
    spoken = page_language(newsletter, language, facts.language)
    return page(
        "manage",
        spoken,
        newsletter=newsletter,
        segments=newsletter.segments,
        chosen=facts.confirmed,
        languages=newsletter.languages,
        own_language=facts.language,
        kept=_kept_pairs(newsletter, facts, spoken),
        also_kept=also_kept(spoken),
        saved=saved,
    )


def also_kept(language: str) -> list[str]:
    """Say what is kept of a reader elsewhere than under their row, as words."""
    return [phrases(language).gettext(each) for each in ALSO_KEPT]


def _kept_pairs(newsletter: Newsletter, facts: Kept, language: str) -> list[tuple[str, str]]:
    pairs = [("language", facts.language)]
    consents = _consents(newsletter, facts, language)
    for held in facts.subscriptions:
        name = ", ".join(names_of(newsletter, (held.segment,), language)) or held.segment
        pairs.append(("segments" if held.confirmed_day else "pending", name))
        pairs.append(("requested", day(held.requested_day, language)))
        if held.confirmed_day:
            pairs.append(("confirmed", day(held.confirmed_day, language)))
            pairs.append(("proof", "link" if facts.is_proven(held) else "list"))
        pairs.append(("consent", consents.get(held.consent, held.consent)))
        if held.source:
            pairs.append(("source", held.source))
    pairs.append(("since", day(facts.day, language)))
    if facts.told_day:
        pairs.append(("told", day(facts.told_day, language)))
    asked = [each for each in facts.messages if each.kind == CONFIRMATION]
    return pairs + [
        ("used" if each.used else "asked", day(each.last_day, language)) for each in asked
    ]


def _consents(newsletter: Newsletter, facts: Kept, language: str) -> dict[str, str]:
    ours = {each.version: each.text.get(language, each.version) for each in newsletter.consent}
    return {**ours, **facts.imported}


async def _choice(request: Request) -> Choice | None:
    try:
        return await read_body(request, Choice, lists=("segments",))
    except RequestValidationError:
        return None


@router.post("/manage/{token}", responses=ACTED)
def manage_act(
    request: Request,
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
            return _save(here, session, token, choice, facts, now)
        if choice is not None and choice.action == "download":
            return _download(here.newsletter, facts)
        if choice is not None and choice.action == "erase" and choice.sure:
            erase(session, token, now=now, tombstone=tombstone(here, now))
            return done("/erased", page_language(here.newsletter, language, facts.language))
    except LinkUnknown:
        return not_found(request, here.newsletter)
    return _manage(here.newsletter, facts, language, saved=False)


def _save(
    here: Here, session: Writing, token: str, choice: Choice, facts: Kept, now: Now
) -> Response:
    newsletter = here.newsletter
    spoken = page_language(newsletter, choice.language, facts.language)
    segments = segments_of(newsletter, choice.segments)
    consent = newsletter.current_consent.version
    change(
        session,
        token,
        segments=segments,
        language=spoken,
        consent=consent,
        now=now,
        tombstone=tombstone(here, now),
    )
    if not segments:
        return done("/erased", spoken)
    session.flush()
    return _manage(newsletter, kept(session, token, now=now), spoken, saved=True)


def _download(newsletter: Newsletter, facts: Kept) -> Response:
    spoken = page_language(newsletter, None, facts.language)
    record = facts.as_record(_consents(newsletter, facts, spoken), also_kept(spoken))
    body = json.dumps(record, ensure_ascii=False, indent=2)
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="vestka.json"'}
    return Response(body, media_type="application/json", headers=headers)
