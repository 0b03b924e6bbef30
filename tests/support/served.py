"""Apps on real ports, for browsers: they have origins, policies and preflights like any website."""

import shutil
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from app.addresses.public_keys import PublicKeys
from app.database import Database
from app.public_server import create_public
from app.settings import Settings
from app.web.context import AppContext
from tests.support.builders import NEWSLETTER
from tests.support.clock import SetClock
from tests.support.service import eventually


@contextmanager
def served(made: Callable[[str], ASGIApp]) -> Iterator[str]:
    """Serve the app that `made` gives for its own URL, in a thread; yield that URL."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        config = uvicorn.Config(made(url), log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([sock],), name="served")
        thread.start()
        try:
            eventually(lambda: server.started, "the app to be served")
            yield url
        finally:
            server.should_exit = True
            thread.join()


@dataclass
class Website:
    """Somebody's website: pages by path, all under one policy, which a test may change."""

    pages: dict[str, str]
    policy: str
    url: str = ""

    def app(self, _url: str) -> ASGIApp:
        """Make the app that shows them."""
        return Starlette(routes=[Route("/{path:path}", self._answer)])

    async def _answer(self, request: Request) -> Response:
        body = self.pages.get(request.url.path)
        headers: Mapping[str, str] = {"Content-Security-Policy": self.policy}
        return HTMLResponse(body or "", 200 if body else 404, headers=headers)


@dataclass(frozen=True)
class Shown:
    """The readers' port as browsers reach it, its database, and somebody's website beside it."""

    url: str
    database: Database
    clock: SetClock
    website: Website
    settings: Settings


@pytest.fixture(scope="module")
def shown(
    tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path, keys_dir: Path
) -> Iterator[Shown]:
    """Serve both on two origins. How pages look does not depend on the database: SQLite does."""
    path = tmp_path_factory.mktemp("shown") / "vestka.db"
    shutil.copy(migrated_sqlite, path)
    website, clock = Website({}, ""), SetClock()
    with ExitStack() as stack:
        database = Database(f"sqlite:///{path}")
        stack.callback(database.close)
        website.url = stack.enter_context(served(website.app))

        settings: list[Settings] = []

        def readers(url: str) -> ASGIApp:
            given = {
                "VESTKA_DATABASE_URL": f"sqlite:///{path}",
                "VESTKA_PUBLIC_URL": url,
                "VESTKA_ALLOWED_ORIGINS": website.url,
            }
            settings.append(Settings(given))
            keys = PublicKeys.load(keys_dir)
            return create_public(AppContext(settings[0], database, clock, NEWSLETTER, keys))

        url = stack.enter_context(served(readers))
        yield Shown(url, database, clock, website, settings[0])
