"""Compression of what is the same for everyone and holds no secret; of nothing else (BREACH)."""

import gzip
import re

from fastapi import Request
from starlette.responses import Response

_LEAST = 1_000  # bytes: less is not worth it
_READ = 1_000  # characters of the header
_GZIP = re.compile(r"\s*gzip\s*(?:;\s*q=(1|0)?(?:\.(\d{0,3}))?\s*)?", re.IGNORECASE)


def compressed(request: Request, answer: Response) -> Response:
    """Compress the answer if the client takes gzip (RFC 9110 §12.5.3), and say that it depends."""
    answer.headers["Vary"] = "Accept-Encoding"
    if len(answer.body) < _LEAST or not takes_gzip(request.headers.get("accept-encoding", "")):
        return answer
    body = gzip.compress(bytes(answer.body), mtime=0)  # without the time, or the ETag would change
    headers = {**answer.headers, "Content-Encoding": "gzip"}
    del headers["content-length"]
    return Response(body, answer.status_code, headers=headers)


def takes_gzip(accepted: str) -> bool:
    """Tell whether this `Accept-Encoding` names gzip without refusing it."""
    named = filter(None, map(_GZIP.fullmatch, accepted[:_READ].split(",")))
    return any(
        (whole, part) == (None, None) or whole == "1" or (part or "").strip("0")
        for whole, part in (each.groups() for each in named)
    )
