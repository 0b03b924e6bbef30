"""Which websites may call us from a browser (CORS): those in the settings, and for some paths all.

What is the same for every origin must not say `Vary: Origin`, or every cache would keep it once per
website; so such paths pass by, and set their own `Access-Control-Allow-Origin` or none.
"""

from urllib.parse import urlsplit

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send


class Cors(CORSMiddleware):
    """Answers for the websites allowed, but for the paths that are the same for everyone."""

    def __init__(self, app: ASGIApp, *, allowed: tuple[str, ...], same: tuple[str, ...]) -> None:
        """Wrap the app; `same` are the beginnings of the paths that pass by."""
        super().__init__(
            app,
            allow_origins=list(allowed),
            allow_methods=["POST"],
            allow_headers=["content-type"],
            expose_headers=["retry-after"],
        )
        self._same = same

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let what is the same for everyone pass by."""
        if scope["type"] == "http" and scope["path"].startswith(self._same):
            await self.app(scope, receive, send)
            return
        await super().__call__(scope, receive, send)


def origin_of(url: str) -> str:
    """Return the origin of an address on the web, as a browser sends it (RFC 6454 §6.2)."""
    parts = urlsplit(url.lower())
    default = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].removesuffix(default)}"
