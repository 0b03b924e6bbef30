"""The real service as its users meet it: `python -m app …` in processes of its own, on free ports.

Nothing of this machine's environment reaches it. Every answer it gave and every line it logged is
kept, so that a test can look through all of it.
"""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.support.smtpd import closed_port

T = TypeVar("T")
REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE = 30.0  # seconds: two busy cores are slow, and a service that works is not this slow
START = 90.0


def eventually(look: Callable[[], T], what: str | Callable[[], str], within: float = PATIENCE) -> T:
    """Look until there is something true to see, and return it."""
    end = time.monotonic() + within
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what if isinstance(what, str) else what()}")
        time.sleep(0.05)


@dataclass(frozen=True)
class Answer:
    """What the service answered, byte for byte."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def fields(self) -> list[str]:
        """The fields that a problem names."""
        return [error["field"] for error in self.json().get("errors", [])]


def free_ports(count: int) -> list[int]:
    """Give ports where nobody listens, all different."""
    ports: list[int] = []
    while len(ports) < count:
        port = closed_port()
        if port not in ports:
            ports.append(port)
    return ports


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended; one that nobody has waited for yet has, too."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return True


class Place:
    """One installation: its folder, its database and its settings; processes run in it."""

    def __init__(self, folder: Path, database_url: str, settings: Mapping[str, str]) -> None:
        """Write nothing yet. `settings` come on top of what every test instance needs."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.public_port, self.operators_port, self.sender_port = free_ports(3)
        self.environment = {
            "PATH": os.defpath,
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "VESTKA_DATA_DIR": str(folder / "var"),
            "VESTKA_KEYS_DIR": str(folder / "keys"),
            "VESTKA_DATABASE_URL": database_url,
            "VESTKA_PUBLIC_URL": f"http://127.0.0.1:{self.public_port}",
            "VESTKA_PUBLIC_LISTEN": f"127.0.0.1:{self.public_port}",
            "VESTKA_OPERATORS_LISTEN": f"127.0.0.1:{self.operators_port}",
            "VESTKA_SENDER_LISTEN": f"127.0.0.1:{self.sender_port}",
            "VESTKA_FROM": "Belarus in Brief <news@example.org>",
            "VESTKA_SCHEDULE": "off",
            **settings,
        }
        self.answers: list[Answer] = []
        self.logs: list[Path] = []

    @property
    def public_url(self) -> str:
        return self.environment["VESTKA_PUBLIC_URL"]

    def command(self, *arguments: str, given: bytes = b"") -> "subprocess.CompletedProcess[str]":
        """Run one command to its end; `given` is its standard input."""
        ran = subprocess.run(
            [sys.executable, "-m", "app", *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            capture_output=True,
            input=given,
            check=False,
            timeout=60,
        )
        out, err = ran.stdout.decode(), ran.stderr.decode()
        return subprocess.CompletedProcess(ran.args, ran.returncode, out, err)

    def key(self, name: str, scope: str = "all") -> str:
        """Make an API key."""
        made = self.command("key", "create", name, "--scope", scope, "--json")
        assert made.returncode == 0, made.stderr
        key: str = json.loads(made.stdout.splitlines()[-1])["key"]
        return key

    def call(
        self,
        port: int,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        caller: str = "127.0.0.1",
    ) -> Answer:
        """Send one request on a connection of its own; a redirect is an answer like any other.

        `caller` is the loopback address that it comes from.
        """
        connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=PATIENCE, source_address=(caller, 0)
        )
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            answer = Answer(response.status, tuple(response.getheaders()), response.read())
        self.answers.append(answer)
        return answer


class Process:
    """A running `vestka serve`; its log is a file."""

    def __init__(self, place: Place, role: str = "all") -> None:
        """Start it; `ready` waits until it can be used."""
        self._place = place
        self._role = role
        self.log = place.folder / f"{role}-{len(place.logs)}.log"
        place.logs.append(self.log)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app", "serve", "--role", role],
                cwd=REPOSITORY,
                env=place.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def ready(self) -> None:
        """Wait until it serves; fail with its log if it ends instead."""
        ports = {
            "all": [
                *(self._place.public_port, self._place.operators_port),
                self._place.sender_port,
            ],
            "public": [self._place.public_port],
            "operators": [self._place.operators_port],
        }.get(self._role, [])
        for port in ports:
            # Four interpreters start for all roles: a busy machine takes its time.
            eventually(lambda port=port: self._answers(port), f"{self._role} to be ready", START)  # type: ignore[misc]
        if not ports:
            eventually(lambda: "sender started" in self._log_alive(), "the sender to start")

    def _log_alive(self) -> str:
        text = self.log.read_text(errors="replace")
        assert self._process.poll() is None, text
        return text

    def _answers(self, port: int) -> bool:
        self._log_alive()
        try:
            return self._place.call(port, "GET", "/health/ready").status == 200
        except OSError:
            return False

    def stop(self) -> int:
        """Stop it as a supervisor would, and return its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def ends(self) -> int:
        """Wait until it ends by itself, and return its exit status."""
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        """End it as a power cut would, the processes of its roles as well."""
        children = list(self.roles().values())
        self._process.kill()
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        for pid in children:
            eventually(lambda pid=pid: is_gone(pid), "the processes to be gone")  # type: ignore[misc]

    @property
    def pid(self) -> int:
        """The process that was started: the supervisor, unless it is a role of its own."""
        return self._process.pid

    def roles(self) -> dict[str, int]:
        """The process of each role that runs now under this supervisor, by its name."""
        found: dict[str, int] = {}
        with contextlib.suppress(OSError):
            listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii")
            for pid in map(int, listed.split()):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
                if "--role" in words:
                    found[words[words.index("--role") + 1]] = pid
        return found


@contextlib.contextmanager
def serving(place: Place, *roles: str) -> Iterator[list[Process]]:
    """Run these roles (all of them in one process, if none is named) and stop them at the end."""
    processes: list[Process] = []
    try:
        for role in roles or ("all",):
            process = Process(place, role)
            processes.append(process)
            process.ready()
        yield processes
    finally:
        statuses = [process.stop() for process in reversed(processes)]
    assert not any(statuses), [process.log.read_text() for process in processes]
