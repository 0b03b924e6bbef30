"""No request is larger or slower than its port allows: refused unread if it says so, else midway.

Starlette has a limit for bodies too, but it stands outside of everything and answers in plain text.
"""

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.http_protocol import HEAD
from app.web.problems import problem

FIELDS = 100  # headers of a request
BEGIN_WITHIN = 10.0  # seconds in which a body begins to come
AT_LEAST = 500  # bytes a second, on average from then on


class RequestLimits:
    """Answers 413 to a body too long, 408 to one too slow, 431 to headers that are too many.

    RFC 9110 §15.5.14, §15.5.9; RFC 6585 §5.
    """

    def __init__(self, app: ASGIApp, *, limit: int, within: float) -> None:
        """Wrap the app; a body has at most `limit` bytes, and comes `within` so many seconds.

        One that comes too slowly is not waited for so long.
        """
        self._app = app
        self._limit = limit
        self._within = within

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything but HTTP through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if len(scope["headers"]) > FIELDS or _head(scope) > HEAD:
            refusal = problem(
                431, f"a request has at most {FIELDS} headers and {HEAD} bytes of them"
            )
            await refusal(scope, receive, send)
            return
        if _announced(scope) > self._limit:
            refusal = problem(413, f"a body has at most {self._limit} bytes here", slug="too-long")
            await refusal(scope, receive, send)
            return
        await self._app(scope, self._measured(receive), send)

    def _measured(self, receive: Receive) -> Receive:
        """Take the body's parts as they come, while they are small and quick enough."""
        taken, begun = 0, asyncio.get_running_loop().time()
        whole = False

        async def measured() -> Message:
            nonlocal taken, whole
            try:
                slowest = min(BEGIN_WITHIN + taken / AT_LEAST, self._within)
                async with asyncio.timeout_at(None if whole else begun + slowest):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, headers={"Connection": "close"}) from None
            whole = not message.get("more_body", False)
            taken += len(message.get("body", b""))
            if taken > self._limit:
                raise HTTPException(413)
            return message

        return measured


def _head(scope: Scope) -> int:
    return (
        len(scope["raw_path"])
        + len(scope["query_string"])
        + sum(len(name) + len(value) for name, value in scope["headers"])
    )


def _announced(scope: Scope) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"")
    return int(length) if length.isdigit() else 0
