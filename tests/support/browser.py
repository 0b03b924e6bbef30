"""A real browser for the length of one test run, in a thread of its own.

The thread keeps Playwright's event loop away from the tests, which may run loops themselves.
Without a browser on the machine such tests are skipped; REQUIRE_BROWSER=1 makes that a failure.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from playwright import sync_api

T = TypeVar("T")

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 30_000


class Browser:
    """A browser to which tests hand their steps."""

    def __init__(self, executable: str) -> None:
        """Start the browser at `executable`."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="browser")
        self._playwright, self._browser = self._thread.submit(self._start, executable).result()

    @staticmethod
    def _start(executable: str) -> tuple[sync_api.Playwright, sync_api.Browser]:
        playwright = sync_api.sync_playwright().start()
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        return playwright, browser

    def visit(self, steps: Callable[[sync_api.Page], T], **context: Any) -> T:
        """Do `steps(page)` on a page without a past and return what they return.

        `context` holds Playwright's options: `locale="be-BY"`, `java_script_enabled=False`,
        `color_scheme="dark"`, `viewport={"width": 360, "height": 800}`. Wait with locators: a
        `wait_for_function` is refused by a page whose policy allows no scripts.
        """
        return self._thread.submit(self._visit, steps, context).result()

    def _visit(self, steps: Callable[[sync_api.Page], T], context: dict[str, Any]) -> T:
        with self._browser.new_context(**context) as fresh:
            fresh.set_default_timeout(PATIENCE_MS)
            return steps(fresh.new_page())

    def close(self) -> None:
        """End the browser and its thread."""
        self._thread.submit(self._browser.close).result()
        self._thread.submit(self._playwright.stop).result()
        self._thread.shutdown()


def find_browser() -> str | None:
    """Find a Chromium on PATH."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser of this test run."""
    executable = find_browser()
    if executable is None:
        missing = "NO BROWSER: none of " + ", ".join(NAMES) + " is on PATH"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    browser = Browser(executable)
    yield browser
    browser.close()
