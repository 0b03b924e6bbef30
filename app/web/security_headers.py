"""The security headers of every answer, and the refusal of compressed requests."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"interest-cohort=()"),
)
_HSTS = (b"strict-transport-security", b"max-age=31536000")


class SecurityHeaders:
    """Adds what a route did not set itself; refuses `Content-Encoding` (415), never asked for."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        """Wrap the app; `https` says whether readers reach us by https."""
        self._app = app
        self._headers = (*HEADERS, _HSTS) if https else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything but HTTP through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                more = [header for header in self._headers if header[0] not in given]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        if any(name == b"content-encoding" for name, _ in scope["headers"]):
            await _refuse(with_headers)
            return
        await self._app(scope, receive, with_headers)


async def _refuse(send: Send) -> None:
    body = b'{"type":"about:blank","title":"Unsupported Media Type","status":415}'
    headers = [(b"content-type", b"application/problem+json")]
    await send({"type": "http.response.start", "status": 415, "headers": headers})
    await send({"type": "http.response.body", "body": body})
