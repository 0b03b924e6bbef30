"""The readers' app: the form's API, the pages behind links, the archive.

It is given no private key, and nothing that it imports could use one: an import contract.
"""

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from app.archive import api as archive_api
from app.archive import pages as archive_pages
from app.archive import photos_pages
from app.subscribers import api as subscribers_api
from app.subscribers import pages as subscribers_pages
from app.subscribers.inbox import Inbox
from app.web.context import AppContext
from app.web.cors import Cors, origin_of
from app.web.pages import STATIC
from app.web.rate_limit import RateLimit
from app.web_app import create_app

PUBLIC_BODY = 16_384  # bytes: an address and a choice of segments

SAME_FOR_EVERYONE = ("/form.js", "/archive", "/v1/archive", "/v1/situation", "/photos")


def create_public(installation: AppContext) -> FastAPI:
    """Make the readers' app: the form's API, the pages behind links, the archive."""
    app = create_app(installation, "Vestka for readers", PUBLIC_BODY)
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
