"""Under which names a port may be called; whoever comes by another name is turned away unread.

No link and no answer is made of `Host`; but a page of somebody else's, whose name was made to lead
to this machine (DNS rebinding), would be of one origin with it.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from app.settings import is_loopback
from app.web.problems import problem

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::[0-9]{0,5})?")


class AllowedHosts:
    """Answers 400 to a missing, doubled or malformed `Host`, 421 to a foreign one."""

    def __init__(self, app: ASGIApp, *, names: Iterable[str]) -> None:
        """Wrap the app; `names` come on top of loopback names and the address that was called."""
        self._app = app
        self._names = frozenset(name.lower().strip("[]") for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything but HTTP through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host = _host(scope)
        if host is None:
            refusal = problem(400, "A request names one host (RFC 9112 §3.2).", slug="host-missing")
        elif self._is_ours(host, scope):
            await self._app(scope, receive, send)
            return
        else:
            refusal = problem(
                421,
                "This host is not served here; VESTKA_ALLOWED_HOSTS names more.",
                slug="host-unknown",
            )
        await refusal(scope, receive, send)

    def _is_ours(self, host: str, scope: Scope) -> bool:
        return host in self._names or is_loopback(host) or _is_where_called(host, scope)


def _host(scope: Scope) -> str | None:
    """Return the one host named, in lower case, without its port."""
    given = [value for name, value in scope["headers"] if name == b"host"]
    named = _HOST.fullmatch(given[0].decode("latin-1").lower()) if len(given) == 1 else None
    return (named[1] or named[2].rstrip(".") or None) if named else None


def _is_where_called(host: str, scope: Scope) -> bool:
    """Tell whether the host is the very address that was connected to: no name leads there."""
    try:
        return ip_address(host) == ip_address((scope.get("server") or ("",))[0])
    except ValueError:
        return False
