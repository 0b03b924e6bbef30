"""The whole sender against `smtp-sink`, as a ratio to `smtp-source` in the same run.

Both come with Postfix. Each round runs the one, then the other; the median of the ratios counts.
The sender's part is the real one: claim, check, open the sealed address, compose, (sign,) send,
journal, record.
"""

import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from app.errors import Refusal
from app.mail.dkim_keys import create_dkim_key
from bench.audience import prepare

ROOT = Path(__file__).resolve().parent.parent
PUBLIC_URL = "https://news.example.org"
CONNECTIONS = 10


class NoPostfix(Refusal):
    """This needs smtp-sink and smtp-source, which come with Postfix."""


@dataclass(frozen=True)
class Round:
    """What one round took: letters a second of each, and what the sender used."""

    letters_per_second: float
    source_per_second: float
    ratio: float
    cpu_us_per_letter: float
    peak_mb: float
    seconds_to_first: float


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise NoPostfix
    return found


@contextlib.contextmanager
def _sink() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    process = subprocess.Popen([_program("smtp-sink"), *user, f"127.0.0.1:{port}", "1024"])
    time.sleep(0.5)
    try:
        yield port
    finally:
        process.kill()
        process.wait()


def _sender(folder: Path, url: str, port: int) -> dict[str, float]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "VESTKA_DATA_DIR": str(folder / "data"),
        "VESTKA_KEYS_DIR": str(folder / "keys"),
        "VESTKA_DATABASE_URL": url,
        "VESTKA_PUBLIC_URL": PUBLIC_URL,
        "VESTKA_RELAYS": f"smtp+insecure://127.0.0.1:{port}",
        "VESTKA_FROM": "news@example.org",
        "VESTKA_SCHEDULE": "off",
        "VESTKA_CONNECTIONS": str(CONNECTIONS),
    }
    command = [sys.executable, "-m", "bench.engine_once"]
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    record: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return record


def _source(port: int, letters: int, size: int) -> float:
    command = [
        *(_program("smtp-source"), "-d", "-s", str(CONNECTIONS), "-m", str(letters)),
        *("-l", str(size), "-f", "a@example.org", "-t", "b@example.org", f"127.0.0.1:{port}"),
    ]
    began = time.perf_counter()
    subprocess.run(command, check=True)
    return letters / (time.perf_counter() - began)


def one_round(letters: int, *, url: str | None, dkim: bool) -> Round:
    """Send `letters` letters of some 30 KB by the sender, then by smtp-source."""
    with tempfile.TemporaryDirectory() as name, _sink() as port:
        folder = Path(name)
        database = url or f"sqlite:///{folder}/vestka.db"
        prepare(folder, database, letters, PUBLIC_URL, letter_kb=30)
        if dkim:
            create_dkim_key(folder / "keys", "bench", "rsa", "example.org")
        took = _sender(folder, database, port)
        source = _source(port, letters, 31_000)
        rate = took["letters"] / took["seconds"]
        return Round(rate, source, rate / source, took["cpu_us"], took["rss_mb"], took["to_first"])


def run(
    letters: int, rounds: int, *, url: str | None = None, dkim: bool = False
) -> dict[str, float]:
    """Return the median of each figure over the rounds. Raises NoPostfix."""
    made = [asdict(one_round(letters, url=url, dkim=dkim)) for _ in range(rounds)]
    return {name: round(statistics.median(each[name] for each in made), 3) for name in made[0]}
