"""No body is longer than its port allows: refused unread if it says so, else where it grows on.

Starlette has such a limit too, but it stands outside of everything and answers in plain text.
"""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.problems import problem


class Limits:
    """Answers 413 to what is too long (RFC 9110 §15.5.14)."""

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        """Wrap the app; `limit` is in bytes."""
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything but HTTP through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _announced(scope) > self._limit:
            refusal = problem(413, f"a body has at most {self._limit} bytes here", slug="too-long")
            await refusal(scope, receive, send)
            return
        taken = 0

        async def counting() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._limit:
                raise HTTPException(413)
            return message

        await self._app(scope, counting, send)


def _announced(scope: Scope) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"")
    return int(length) if length.isdigit() else 0
