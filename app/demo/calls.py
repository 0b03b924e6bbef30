"""Calling the trial instance by HTTP, as a website and an operator's program would."""

import asyncio
import json
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from app.errors import DomainError

PATIENCE = 10  # seconds
_OPENER = build_opener(ProxyHandler({}))  # whatever proxy the environment names is not for us


class CallFailed(DomainError):
    """The trial instance did not answer as it should."""


async def call(method: str, url: str, body: object = None, *, key: str | None = None) -> Any:
    """Call `url`, with `body` as JSON (bytes: as a form); return the JSON that it answers, if any.

    Raises CallFailed for anything but a 2xx.
    """
    return await asyncio.to_thread(_call, method, url, body, key)


def _call(method: str, url: str, body: object, key: str | None) -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    content = body if isinstance(body, bytes) else None
    if content is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    elif body is not None:
        content = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    request = Request(url, content, headers, method=method)  # noqa: S310 - our own http: URLs
    try:
        with _OPENER.open(request, timeout=PATIENCE) as answer:
            text = answer.read()
            is_json = answer.headers.get_content_type() == "application/json"
    except HTTPError as refused:
        with refused:
            raise CallFailed(f"{method} {request.selector} was answered {refused.code}.") from None
    except (URLError, OSError):
        raise CallFailed(f"{method} {request.selector} was not answered.") from None
    return json.loads(text) if is_json else None
