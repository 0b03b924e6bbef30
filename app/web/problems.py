"""Every "no" as problem+json (RFC 9457), for people a page, and the one table of status codes.

A problem names the field and the reason; it never repeats what was sent.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.errors import DomainError
from app.log import get_logger, redact
from app.web.error_pages import error_page
from app.web.openapi import methods_of

log = get_logger("web")

# By name, because the rooms that raise them come later in the story than this one.
STATUS = {
    "AddressRefused": 422,
    "UnknownSegment": 422,
    "UnknownLanguage": 422,
    "UnknownRubric": 422,
    "UnknownScope": 422,
    "LanguageNotOffered": 422,
    "NoSuchWeek": 422,
    "WeekNotInYear": 404,
    "WeekDiffers": 422,
    "PhotoUnknown": 422,
    "PhotoTooManyPixels": 422,
    "PhotoBroken": 422,
    "PhotoTooLarge": 413,
    "PhotoKindUnknown": 415,
    "HeaderUnsafe": 422,
    "LinkUnknown": 404,
    "IssueUnknown": 404,
    "MailingUnknown": 404,
    "EditionUnknown": 404,
    "NotInArchive": 404,
    "NotApproved": 409,
    "PhotoNotKept": 404,
    "PhotoInUse": 409,
    "PicturesTooHeavy": 409,
    "IssueIncomplete": 409,
    "EditionFaulty": 409,
    "IssueClosed": 409,
    "AlreadySent": 409,
    "LaunchedBefore": 409,
    "WindowTooLong": 422,
    "MoveNotAllowed": 409,
    "UnknownReason": 422,
    "AudienceEmpty": 409,
    "MailingCancelled": 409,
    "AlreadyAttempted": 409,
    "MessagesClaimed": 409,
    "NobodyLeft": 409,
    "NotPaused": 409,
    "NothingUnsent": 409,
    "IssueRecalled": 409,
    "NotInArchiveYet": 409,
    "AllWithdrawn": 409,
    "CommentaryWithdrawn": 409,
    "CommentaryShown": 409,
    "NoteMissing": 422,
    "NoSuchCommentary": 422,
    "CommentariesDiffer": 422,
    "VersionUnknown": 404,
    "MessageUnfit": 409,
    "SlotForged": 409,
    "EtagDiffers": 412,
    "NotSignedIn": 401,
    "ScopeMissing": 403,
    "TooManyRequests": 429,
    "SignatureWrong": 403,
    "TopicForeign": 403,
    "AmazonSilent": 503,
    "NoSender": 503,
    "TooManyTests": 429,
    "TestUnknown": 404,
    "TooBusy": 503,
    "ProofMissing": 422,
    "ProofWrong": 422,
    "ProofSpent": 422,
    "ProofNotAsked": 404,
    "SettingWrong": 500,
}

# What an answer of this status says besides (RFC 9110 §11.6.1, §10.2.3).
_SAYS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}

MEDIA_TYPE = "application/problem+json"


def problem(
    status: int,
    detail: str,
    *,
    slug: str | None = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """Make the answer. `more` are members of their own, such as `missing` (RFC 9457 §3.2)."""
    body = {
        "type": f"urn:vestka:problem:{slug}" if slug else "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def _slug(refusal: DomainError) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", type(refusal).__name__).lower()


def status_of(refusal: DomainError) -> int:
    """Return the status of a refusal: its own class's, or the nearest ancestor's."""
    names = (kind.__name__ for kind in type(refusal).__mro__)
    return next((STATUS[name] for name in names if name in STATUS), 400)


async def _refused(_request: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, DomainError):
        raise refusal
    status = status_of(refusal)
    more: dict[str, Any] = dict(getattr(refusal, "facts", {}))
    if refusal.field:
        more["errors"] = [{"field": refusal.field, "message": str(refusal)}]
    headers = dict(_SAYS.get(status, {}))
    if (seconds := getattr(refusal, "retry_after", None)) is not None:
        headers["Retry-After"] = str(seconds)
    return problem(status, str(refusal), slug=_slug(refusal), headers=headers, **more)


def field_name(location: tuple[Any, ...]) -> str:
    """Write a validation error's place as a dotted path, without the part of the request."""
    parts = location[1:] if location and location[0] in _PARTS else location
    name = ".".join(str(part) for part in parts if part != "__root__")
    sendable = name[:_READ].encode(errors="replace").decode()  # a lone surrogate is not
    return redact(sendable)[:_SAID] or "body"


_PARTS = ("body", "query", "path", "header", "cookie")
_READ, _SAID = 1_000, 200  # characters of a name; so far apart that no half address is said


def reason(error: Mapping[str, Any]) -> str:
    """Say what is wrong, without the value that was sent."""
    if error.get("type") == "json_invalid":
        return "this is not JSON"
    return str(error.get("msg", "is not valid")).removeprefix("Value error, ")


async def _invalid(_request: Request, invalid: Exception) -> Response:
    if not isinstance(invalid, RequestValidationError):
        raise invalid
    errors = [
        {
            "field": "body" if e["type"] == "json_invalid" else field_name(e["loc"]),
            "message": reason(e),
        }
        for e in invalid.errors()[:50]
    ]
    first = errors[0]
    return problem(422, f"{first['field']}: {first['message']}", slug="invalid", errors=errors)


async def _http(request: Request, raised: Exception) -> Response:
    if not isinstance(raised, HTTPException):
        raise raised
    status, headers = raised.status_code, dict(raised.headers or {})
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        # The framework names what the first route of this path can, and there may be another.
        allowed = methods_of(request.app.openapi(), request.url.path)
        headers["Allow"] = ", ".join(allowed) or headers.get("Allow", headers.get("allow", "GET"))
    told = error_page(request, status, headers)
    return told or problem(status, HTTPStatus(status).phrase, headers=headers)


def _route(request: Request) -> str:
    return str(getattr(request.scope.get("route"), "path", "?"))  # the pattern: a path has tokens


async def _without_database(request: Request, raised: Exception) -> Response:
    # Not our fault and soon over: one line, or a full disk is filled by what is said about it.
    cause = str(getattr(raised, "orig", None) or raised).partition("\n")[0]
    log.error("the database does not answer", route=_route(request), error=cause)
    soon = {"Retry-After": "60"}
    told = error_page(request, 503, soon)
    return told or problem(503, "The database does not answer; please try again.", headers=soon)


async def _gone(_request: Request, _raised: Exception) -> Response:
    return Response(status_code=400)  # nobody reads it


async def _broken(request: Request, raised: Exception) -> Response:
    log.error("request failed", route=_route(request), error=type(raised).__name__, exc_info=raised)
    sentence = "Something went wrong here; nothing of this request was kept."
    return error_page(request, 500) or problem(500, sentence)


def install(app: FastAPI) -> None:
    """Answer every exception of `app` as a problem."""
    app.add_exception_handler(DomainError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(OperationalError, _without_database)
    app.add_exception_handler(Exception, _broken)
