"""Pictures of an email as a mail program shows it, taken by a Chromium that is on PATH.

Driven over two pipes (the DevTools protocol), so one process takes them all and nothing listens.
No name is resolved: an email that fetches anything would show it missing.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path
from typing import Any

from app.errors import DomainError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",  # there is none in a container; what is shown is our own, without scripts
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)
WIDTHS = (320, 600)  # px: the narrowest phone, and the width the email is made for
SCHEMES = ("light", "dark")
PATIENCE = 30.0  # seconds for one answer
PARTING = 5.0  # seconds to end by itself


class BrowserSilent(DomainError):
    """The browser ended, or did not answer in time."""


def find_browser() -> str | None:
    """Find a Chromium on PATH."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def take(executable: str, pages: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    """Take each page in every width and scheme as PNG, with a file's name. Raises BrowserSilent."""
    with _browser(executable) as browser:
        for page, width, scheme in product(pages, WIDTHS, SCHEMES):
            yield f"{page.stem}.{scheme}.{width}.png", browser.shoot(page, width, scheme)


@contextmanager
def _browser(executable: str) -> Iterator["_Browser"]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process, commands, answers = _start([executable, *FLAGS, f"--user-data-dir={profile}"])
        try:
            yield _Browser(commands, answers)
        finally:
            os.close(commands)  # it ends when nobody can command it any more
            _wait_for_end(answers)
            os.close(answers)
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)


def _start(command: list[str]) -> tuple[int, int, int]:
    """Start the browser; return its process, where to write commands and where to read answers."""
    heard, commands = os.pipe()
    answers, said = os.pipe()
    # Out of the way of 3 and 4, the descriptors on which the protocol speaks.
    moved = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, 10) for each in (heard, said)]
    quiet = [(os.POSIX_SPAWN_OPEN, each, os.devnull, os.O_RDWR, 0) for each in (0, 1, 2)]
    pipes = [(os.POSIX_SPAWN_DUP2, each, place) for place, each in enumerate(moved, 3)]
    try:
        process = os.posix_spawn(command[0], command, os.environ, file_actions=[*quiet, *pipes])
    except OSError:
        os.close(commands)
        os.close(answers)
        raise BrowserSilent from None
    finally:
        for each in (heard, said, *moved):
            os.close(each)
    return process, commands, answers


def _wait_for_end(answers: int) -> None:
    while select.select([answers], [], [], PARTING)[0] and os.read(answers, 1 << 20):
        pass


class _Browser:
    """One page of a running browser."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._buffer = b""
        self._calls = 0
        self._session: str | None = None
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self._call("Page.enable")

    def shoot(self, page: Path, width: int, scheme: str) -> bytes:
        """Return the whole page as PNG, `width` px wide."""
        wanted = [{"name": "prefers-color-scheme", "value": scheme}]
        self._call("Emulation.setEmulatedMedia", features=wanted)
        shape = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": True}
        self._call("Emulation.setDeviceMetricsOverride", **shape)
        self._call("Page.navigate", url=page.resolve().as_uri())
        while self._next().get("method") != "Page.loadEventFired":
            pass
        taken = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(taken["data"])

    def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._calls += 1
        message: dict[str, Any] = {"id": self._calls, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        try:
            os.write(self._commands, json.dumps(message).encode() + b"\0")
        except BrokenPipeError:
            raise BrowserSilent from None
        while (answer := self._next()).get("id") != self._calls:
            pass
        if "result" not in answer:
            raise BrowserSilent
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], PATIENCE)
            more = os.read(self._answers, 1 << 20) if ready else b""
            if not more:
                raise BrowserSilent
            self._buffer += more
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer
