"""Sign-ups a second, as a ratio to the least that could answer: see `bare`.

Every round loads the bare endpoint, then Vestka on SQLite, then on PostgreSQL, by the same
connections for the same time, with the same number of processes behind each; the median of the
rounds' ratios counts. PostgreSQL is the tests' own, and here it waits for the disk at each commit.
"""

import contextlib
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import psycopg
from sqlalchemy import make_url

from app.database import Database
from app.keys.creation import create_keys
from app.migration import migrate
from bench.processes import cpu_seconds
from tests.support.postgres import PostgresServer, running_server
from tests.support.service import free_ports

ROOT = Path(__file__).resolve().parent.parent
DURABLE = ("listen_addresses=", "max_connections=200", "shared_buffers=64MB")

Load = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """Running servers that take the same load between them."""

    name: str
    ports: list[int]
    processes: list["subprocess.Popen[bytes]"]

    def loaded(self, connections: int, seconds: float) -> Load:
        """Load them; add the processor time that each answer took, in microseconds."""
        before = self._cpu()
        command = [sys.executable, "-m", "bench.load", str(connections), str(seconds)]
        done = subprocess.run(
            [*command, *map(str, self.ports)], cwd=ROOT, stdout=subprocess.PIPE, check=True
        )
        load: Load = json.loads(done.stdout)
        answers = sum(load["statuses"].values())
        assert set(load["statuses"]) == {"202"}, load["statuses"]
        return {**load, "cpu_us": (self._cpu() - before) / answers * 1e6}

    def _cpu(self) -> float:
        return sum(cpu_seconds(process.pid) for process in self.processes)


@contextlib.contextmanager
def _running(
    name: str, command: list[str], environments: list[Mapping[str, str]], ports: list[int]
) -> Iterator[Target]:
    with contextlib.ExitStack() as stack:
        processes = []
        for port, environment in zip(ports, environments, strict=True):
            process = subprocess.Popen(
                [sys.executable, *command, *([str(port)] if name == "bare" else [])],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            processes.append(process)
        for port in ports:
            _await_answer(port)
        yield Target(name, ports, processes)


def _await_answer(port: int) -> None:
    for _ in range(300):
        try:
            with urlopen(f"http://127.0.0.1:{port}/health/live"):
                return
        except HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("a server did not start")


@contextlib.contextmanager
def _vestka(name: str, url: str, folder: Path, workers: int) -> Iterator[Target]:
    create_keys(folder / "keys")
    (folder / "data").mkdir()
    database = Database(url)
    migrate(database)
    database.close()
    ports = free_ports(workers)
    shared = {
        "VESTKA_DATA_DIR": str(folder / "data"),
        "VESTKA_KEYS_DIR": str(folder / "keys"),
        "VESTKA_DATABASE_URL": url,
        "VESTKA_FROM": "news@example.org",
    }
    environments: list[Mapping[str, str]] = [
        {
            **shared,
            "VESTKA_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "VESTKA_PUBLIC_LISTEN": f"127.0.0.1:{port}",
        }
        for port in ports
    ]
    command = ["-m", "app", "serve", "--role", "public"]
    with _running(name, command, environments, ports) as target:
        yield target


@contextlib.contextmanager
def _targets(url: str | None, workers: int, folder: Path) -> Iterator[list[Target]]:
    with contextlib.ExitStack() as stack:
        if url is None:
            server = stack.enter_context(running_server(DURABLE))
            url = PostgresServer(server).fresh_database()
        ports = free_ports(workers)
        lite, post = folder / "sqlite", folder / "postgresql"
        yield [
            stack.enter_context(_running("bare", ["-m", "bench.bare"], [{}] * workers, ports)),
            stack.enter_context(_vestka("sqlite", f"sqlite:///{folder}/lite.db", lite, workers)),
            stack.enter_context(_vestka("postgresql", url, post, workers)),
        ]


def run(
    *, seconds: float, rounds: int, connections: int, workers: int, url: str | None = None
) -> dict[str, Any]:
    """Return the medians of each target, the ratios to the bare endpoint, and the environment."""
    with (
        tempfile.TemporaryDirectory() as name,
        _targets(url, workers, Path(name)) as targets,
    ):
        for target in targets:
            target.loaded(connections, 1)  # what is imported and prepared once
        made = [
            {target.name: target.loaded(connections, seconds) for target in targets}
            for _ in range(rounds)
        ]
        return {
            **_figures(made),
            "connections": connections,
            "workers": workers,
            "rounds": rounds,
            "seconds": seconds,
            "environment": _environment(url),
        }


def _figures(made: list[dict[str, Load]]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name in made[0]:
        for figure in ("per_second", "p50_ms", "p99_ms", "cpu_us"):
            figures[f"{name}_{figure}"] = _median(each[name][figure] for each in made)
        if name != "bare":
            for figure in ("per_second", "p99_ms"):
                ratios = (each[name][figure] / each["bare"][figure] for each in made)
                figures[f"{name}_{figure}_ratio"] = _median(ratios)
    return figures


def _median(values: Iterator[float] | Any) -> float:
    return round(float(statistics.median(values)), 3)


def _environment(url: str | None) -> str:
    """Name what the figures depend on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if "model name" in line), "?")
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    postgres = "the tests' PostgreSQL, fsync on"
    if url is not None:
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain) as connection:
            postgres = f"PostgreSQL {connection.info.parameter_status('server_version')}"
    return (
        f"{os.cpu_count()} × {model}; {platform.system()}; Python {platform.python_version()};"
        f" SQLite {sqlite3.sqlite_version}; {postgres}; load average {load}"
    )
