"""The whole sender against `smtp-sink`, as a ratio to others in the same run.

`smtp-sink` and `smtp-source` come with Postfix. Each round runs one after the other; the medians of
the ratios count. The sender's part is the real one: claim, look, open the sealed address, compose,
(sign,) send, journal, record. The naive sender does what most programs do, and the Go pool what
others do that want to be fast: it is measured where there is a Go compiler. Our connections alone
(`transport`) tell the most that the whole sender could reach. The sink takes processor time, too,
on the same cores: how much, from us and from smtp-source, is a part of what is found.
"""

import contextlib
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from app.errors import DomainError
from app.mail.dkim.dkim_keys import create_dkim_key
from bench.audience import addresses, prepare
from bench.processes import cpu_seconds

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent
PUBLIC_URL = "https://news.example.org"
CONNECTIONS = 10
NAIVE_MESSAGES = 300  # it is slow
POOL_MESSAGES = 5_000


class NoPostfix(DomainError):
    """This needs smtp-sink and smtp-source, which come with Postfix."""


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise NoPostfix
    return found


class Sink(NamedTuple):
    """A running smtp-sink."""

    port: int
    pid: int

    def us(self, messages: int, act: Callable[[], T]) -> tuple[T, float]:
        """Do something that sends so many messages; return also the sink's CPU for each."""
        before = cpu_seconds(self.pid)
        done = act()
        return done, (cpu_seconds(self.pid) - before) / messages * 1e6


@contextlib.contextmanager
def _sink() -> Iterator[Sink]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    process = subprocess.Popen([_program("smtp-sink"), *user, f"127.0.0.1:{port}", "1024"])
    time.sleep(0.5)
    try:
        yield Sink(port, process.pid)
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
        "VESTKA_RELAY_CONNECTIONS": str(CONNECTIONS),
    }
    command = [sys.executable, "-m", "bench.sender"]
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    record: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return record


def _rate(messages: int, command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, cwd=ROOT)
    return messages / (time.perf_counter() - began)


def _source(port: int, messages: int, size: int) -> float:
    command = [
        *(_program("smtp-source"), "-d", "-s", str(CONNECTIONS), "-m", str(messages)),
        *("-l", str(size), "-f", "a@example.org", "-t", "b@example.org", f"127.0.0.1:{port}"),
    ]
    return _rate(messages, command)


def _ours(name: str, port: int, messages: int, size: int) -> float:
    """Run one in Python, which says its own rate: starting Python is not what is compared."""
    command = [sys.executable, "-m", f"bench.{name}", str(port), str(messages), str(size)]
    done = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE)
    return float(done.stdout)


def _pool(folder: Path, port: int, size: int) -> float | None:
    compiler = shutil.which("go")
    if compiler is None:
        return None
    program = folder / "pool"
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "GOCACHE": str(folder / "go")}
    source = ROOT / "bench" / "pool.go"
    subprocess.run(
        [compiler, "build", "-o", str(program), str(source)], check=True, env=environment
    )
    return _rate(POOL_MESSAGES, [str(program), str(port), str(POOL_MESSAGES), str(size)])


def one_round(messages: int, *, url: str | None, dkim: bool, peers: bool) -> dict[str, float]:
    """Send `messages` messages by the sender, then by smtp-source, and by the others if wanted."""
    with tempfile.TemporaryDirectory() as name, _sink() as sink:
        folder, port = Path(name), sink.port
        database = url or f"sqlite:///{folder}/vestka.db"
        size = prepare(folder, database, addresses(messages), PUBLIC_URL, message_kb=30)
        if dkim:
            create_dkim_key(folder / "keys", "bench", "rsa", "example.org")
        took, sink_us = sink.us(messages, lambda: _sender(folder, database, port))
        found = {
            "messages_per_second": took["rate"],
            "messages_per_cpu_second": 1e6 / took["cpu_us"],
            "cpu_us_per_message": took["cpu_us"],
            "peak_mb": took["peak_mb"],
            "opener_mb": took["opener_mb"],
            "seconds_to_enrol": took["to_enrol"],
            "seconds_to_first": took["to_first"],
            "message_bytes": size,
        }
        many = max(messages, POOL_MESSAGES)
        source, source_us = sink.us(many, lambda: _source(port, many, size))
        found |= {"sink_us_per_message": sink_us, "sink_us_per_message_of_smtp_source": source_us}
        rates = {"smtp_source": source}
        if peers:
            rates["transport"] = _ours("transport", port, many, size)
            rates["naive"] = _ours("naive", port, NAIVE_MESSAGES, size)
            pool = _pool(folder, port, size)
            rates |= {} if pool is None else {"go_pool": pool}
        for who, rate in rates.items():
            found |= {f"{who}_per_second": rate, f"ratio_to_{who}": took["rate"] / rate}
        return found


def run(
    messages: int, rounds: int, *, url: str | None = None, dkim: bool = False, peers: bool = False
) -> dict[str, float | str]:
    """Return the median of each figure over the rounds. Raises NoPostfix."""
    made = [one_round(messages, url=url, dkim=dkim, peers=peers) for _ in range(rounds)]
    medians = {name: round(statistics.median(each[name] for each in made), 3) for name in made[0]}
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return {**medians, "messages": messages, "rounds": rounds, "machine": machine}
