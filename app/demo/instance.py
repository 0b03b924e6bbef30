"""A fresh instance in a temporary folder: settings of its own, the real service as a child process.

Nothing of the environment's settings reaches it, and nothing of it is left when it ends.
"""

import asyncio
import contextlib
import os
import shlex
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from app.database import Database
from app.demo.calls import CallFailed, call
from app.errors import DomainError
from app.migration import migrate
from app.operators.api_keys import create_key
from app.operators.scopes import parse_scopes

LOOPBACK = "127.0.0.1"
START_WITHIN = 30.0  # seconds, on a machine that has much else to do
END_WITHIN = 12.0
_LAST_LINES = 15


class ServiceEnded(DomainError):
    """The service of the trial instance ended by itself."""


@dataclass(frozen=True)
class Instance:
    """Where everything of the trial instance is, and the operators' key to it."""

    folder: Path
    public: str
    operators: str
    key: str
    process: asyncio.subprocess.Process

    @property
    def log(self) -> Path:
        """The file that the service's log goes to."""
        return self.folder / "service.log"

    @property
    def settings(self) -> Path:
        """The file that gives a shell the settings of this instance."""
        return self.folder / "settings"

    async def ended(self) -> None:
        """Wait until the service ends by itself, and raise ServiceEnded."""
        status = await self.process.wait()
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        said = "\n".join(lines[-_LAST_LINES:])
        raise ServiceEnded(f"The service ended with status {status}. Its last words:\n{said}")


def free_port(wanted: int) -> int:
    """Return `wanted`, or any other port that is free if that is taken."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.create_server((LOOPBACK, port)) as probe:
            bound: int = probe.getsockname()[1]
            return bound
    raise ServiceEnded("There is no free port on this machine.")


def settings_of(
    folder: Path, public: int, operators: int, sender: int, relay: int
) -> dict[str, str]:
    """Return the settings of the service."""
    return {
        "VESTKA_DATA_DIR": str(folder / "var"),
        "VESTKA_KEYS_DIR": str(folder / "var-keys"),
        "VESTKA_DATABASE_URL": f"sqlite:///{folder / 'var' / 'vestka.db'}",
        "VESTKA_PUBLIC_URL": f"http://{LOOPBACK}:{public}",
        "VESTKA_PUBLIC_LISTEN": f"{LOOPBACK}:{public}",
        "VESTKA_OPERATORS_LISTEN": f"{LOOPBACK}:{operators}",
        "VESTKA_SENDER_LISTEN": f"{LOOPBACK}:{sender}",
        "VESTKA_RELAYS": f"smtp+insecure://{LOOPBACK}:{relay}",
        "VESTKA_FROM": "news@example.org",
        "VESTKA_SCHEDULE": "off",
    }


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return our environment without any setting of its own, and these settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VESTKA_")}
    return {**kept, **settings}


# Takes from a shell whatever settings it has.
_FORGET = r"unset $(env | sed -n 's/^\(VESTKA_[A-Z_]*\)=.*/\1/p')"


def exports(settings: Mapping[str, str]) -> str:
    """Write settings, and no others, for a shell to read (POSIX: XCU 2.14, `export`)."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    return "\n".join([_FORGET, *lines, ""])


@asynccontextmanager
async def running(relay: int, today: date) -> AsyncIterator[Instance]:
    """Run an instance that hands its messages to the port `relay`; it is gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="vestka-demo-"))
    try:
        key = await asyncio.to_thread(_prepare, folder, today)
        public, operators, sender = free_port(8000), free_port(8001), free_port(8002)
        settings = settings_of(folder, public, operators, sender, relay)
        (folder / "settings").write_text(exports(settings), encoding="utf-8")
        with (folder / "service.log").open("ab") as log:
            process = await _start(environment(settings), log.fileno())
        try:
            urls = [f"http://{LOOPBACK}:{port}" for port in (public, operators, sender)]
            instance = Instance(folder, urls[0], urls[1], key, process)
            await _until_ready(instance, urls)
            yield instance
        finally:
            await _end(process)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _prepare(folder: Path, today: date) -> str:
    """Make the database with an operators' key in it."""
    data = folder / "var"
    data.mkdir(mode=0o700)
    database = Database(f"sqlite:///{data / 'vestka.db'}")
    migrate(database)
    with database.transaction() as session:
        key = create_key(session, "demo", parse_scopes("all"), today=today)
    database.close()
    return key


async def _start(settings: dict[str, str], log: int) -> asyncio.subprocess.Process:
    """Start the service in our process group, so that what ends us ends it too."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.demo.supervised_child", "serve"),
        stdin=asyncio.subprocess.PIPE,
        stdout=log,
        stderr=log,
        env=settings,
    )


async def _until_ready(instance: Instance, urls: Sequence[str]) -> None:
    """Wait until every process of the service can do its work."""
    ending = asyncio.ensure_future(instance.ended())
    try:
        async with asyncio.timeout(START_WITHIN):
            while not all([await _is_ready(url) for url in urls]):
                await asyncio.wait({ending}, timeout=0.05)
                if ending.done():
                    ending.result()
    except TimeoutError:
        raise ServiceEnded("The service did not start in time.") from None
    finally:
        ending.cancel()


async def _is_ready(url: str) -> bool:
    try:
        await call("GET", f"{url}/health/ready")
    except CallFailed:
        return False
    return True


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_WITHIN)
    except TimeoutError:
        process.kill()
        await process.wait()
