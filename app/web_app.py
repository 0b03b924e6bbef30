"""What the readers' app and the operators' app have in common: limits, hosts, headers, health."""

from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.types import ASGIApp

from app import health
from app.addresses.public_keys import PublicKeys
from app.readiness import Readiness
from app.settings import Settings
from app.web import problems
from app.web.allowed_hosts import AllowedHosts
from app.web.context import AppContext
from app.web.head_requests import HeadRequests
from app.web.openapi import complete_openapi
from app.web.request_limits import RequestLimits
from app.web.security_headers import SecurityHeaders

BODY_WITHIN = 60.0  # seconds: a photo over a slow line


class _App(FastAPI):
    """An app outside of whose headers stands nothing, not even the answer to what broke.

    What it says of itself is complete.
    """

    def openapi(self) -> dict[str, Any]:
        """Return the description, made when it is first asked for."""
        if not self.openapi_schema:
            complete_openapi(super().openapi(), self.state.installation.newsletter)
        return super().openapi()

    def build_middleware_stack(self) -> ASGIApp:
        """Wrap all of it, once it is complete."""
        url = self.state.installation.settings.public_url
        return SecurityHeaders(super().build_middleware_stack(), https=url.startswith("https:"))


def create_app(installation: AppContext, title: str, body_limit: int) -> FastAPI:
    """Make an app without routes of its own; a body has at most `body_limit` bytes."""
    app = _App(
        title=title,
        version="1",
        redirect_slashes=False,  # a one-click POST must not be redirected (RFC 8058 §3.1)
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.installation = installation
    app.state.readiness = readiness_of(installation)
    problems.install(app)
    app.add_middleware(RequestLimits, limit=body_limit, within=BODY_WITHIN)
    app.add_middleware(HeadRequests)
    app.add_middleware(AllowedHosts, names=_hosts(installation.settings))
    app.include_router(health.router)
    return app


def readiness_of(installation: AppContext) -> Readiness:
    """Return what tells whether a web process can work; on PostgreSQL it writes no file."""
    settings, database = installation.settings, installation.database
    path = database.url.database
    writes_to = Path(path).parent if database.is_sqlite and path else None
    return Readiness(database, writes_to, partial(PublicKeys.load, settings.keys_dir))


def _hosts(settings: Settings) -> tuple[str, ...]:
    return (urlsplit(settings.public_url).hostname or "", *settings.allowed_hosts)
