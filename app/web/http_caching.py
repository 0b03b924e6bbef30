"""What anyone may keep for a while: its validator, and the short answer to whoever has it already.

An ETag is a hash of the bytes, so it changes exactly when they do. `If-Modified-Since` is not
looked at: a new phrase or template changes a page without changing the date of what it tells.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime

from fastapi import Request
from starlette.responses import Response

FRESH = 300  # seconds for which a copy is good without asking
_ENTITY_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')  # RFC 9110 §8.8.3
_OF_CONTENT = ("content-type", "content-length")


def cacheable(request: Request, answer: Response, *, changed: datetime | None) -> Response:
    """Make a good answer cacheable, or 304 if the client has it (RFC 9110 §13.1.2).

    `changed` is when what it tells last changed, in UTC. Only for what is the same for everyone.
    """
    etag = etag_of(bytes(answer.body))
    answer.headers["ETag"] = etag
    answer.headers["Cache-Control"] = f"public, max-age={FRESH}"
    if changed is not None:
        answer.headers["Last-Modified"] = format_datetime(changed, usegmt=True)
    if not matches(etag, request.headers.getlist("if-none-match")):
        return answer
    # A cache writes these headers over the ones it kept (RFC 9111 §3.2), so they are the same: with
    # the policy of an answer that sets none, a page that was kept would lose its stylesheet.
    same = {name: value for name, value in answer.headers.items() if name not in _OF_CONTENT}
    return Response(status_code=304, headers=same)


def etag_of(body: bytes) -> str:
    """Return the strong entity tag of these bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def matches(etag: str, asked: Iterable[str]) -> bool:
    """Tell whether one of the `If-None-Match` fields names this tag, by weak comparison."""
    fields = ",".join(asked)
    return fields.strip() == "*" or etag in _ENTITY_TAG.findall(fields)
