"""The two web processes: the readers' port and the operators' port.

The readers' app is given no private key, and nothing it imports could use one.
"""

from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from app import health, metrics
from app.archive import api as archive_api
from app.archive import corrections_api, photos_pages
from app.archive import pages as archive_pages
from app.deliveries import api as deliveries_api
from app.deliveries import testing_api
from app.editions import api as editions_api
from app.issues import api as issues_api
from app.issues import photos_api
from app.mailings import api as mailings_api
from app.operators import api as operators_api
from app.outcomes import api as outcomes_api
from app.settings import Settings
from app.subscribers import api as subscribers_api
from app.subscribers import counts_api
from app.subscribers import pages as subscribers_pages
from app.subscribers.inbox import Inbox
from app.suppressions import api as suppressions_api
from app.web import problems
from app.web.allowed_hosts import AllowedHosts
from app.web.context import AppContext
from app.web.cors import Cors, origin_of
from app.web.head_requests import HeadRequests
from app.web.openapi import complete_openapi
from app.web.pages import STATIC
from app.web.rate_limit import RateLimit
from app.web.request_limits import RequestLimits
from app.web.security_headers import SecurityHeaders

PUBLIC_BODY = 16_384  # bytes: an address and a choice of segments
OPERATORS_BODY = 8 << 20
BODY_WITHIN = 60.0  # seconds: a photo over a slow line

SAME_FOR_EVERYONE = ("/form.js", "/archive", "/v1/archive", "/v1/situation", "/photos")


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


def _app(installation: AppContext, title: str, limit: int, *, documented: bool) -> FastAPI:
    app = _App(
        title=title,
        version="1",
        redirect_slashes=False,  # a one-click POST must not be redirected (RFC 8058 §3.1)
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if documented else None,
    )
    app.state.installation = installation
    problems.install(app)
    app.add_middleware(RequestLimits, limit=limit, within=BODY_WITHIN)
    app.add_middleware(HeadRequests)
    app.add_middleware(AllowedHosts, names=_hosts(installation.settings))
    app.include_router(health.router)
    return app


def _hosts(settings: Settings) -> tuple[str, ...]:
    return (urlsplit(settings.public_url).hostname or "", *settings.allowed_hosts)


def create_public(installation: AppContext) -> FastAPI:
    """Make the readers' app: the form's API, the pages behind links, the archive."""
    app = _app(installation, "Vestka for readers", PUBLIC_BODY, documented=True)
    allowed = (origin_of(installation.newsletter.website), *installation.settings.allowed_origins)
    app.add_middleware(Cors, allowed=allowed, same=SAME_FOR_EVERYONE)
    app.state.has_pages = True
    app.state.inbox = Inbox(installation.database)
    app.state.throttle = RateLimit(
        installation.settings, installation.database, installation.keys.counting
    )
    app.include_router(subscribers_api.router)
    app.include_router(subscribers_pages.router)
    app.include_router(archive_pages.router)
    app.include_router(archive_api.router)
    app.include_router(photos_pages.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


def create_operators(installation: AppContext) -> FastAPI:
    """Make the operators' app: issues, mailings, counts, audit. Every route needs a key."""
    app = _app(installation, "Vestka for operators", OPERATORS_BODY, documented=True)
    for api in (
        metrics,
        issues_api,
        photos_api,
        editions_api,
        mailings_api,
        testing_api,
        deliveries_api,
        corrections_api,
        counts_api,
        suppressions_api,
        outcomes_api,
        operators_api,
    ):
        app.include_router(api.router)
    return app
