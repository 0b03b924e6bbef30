"""`vestka demo` as a newcomer runs it: it works, says where to look, and leaves nothing behind."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.demo.readers import READERS
from tests.support.service import eventually

ROOT = Path(__file__).parents[2]
DEMO = (sys.executable, "-m", "app", "demo")


def environment(folder: Path) -> dict[str, str]:
    settings = {"VESTKA_DATABASE_URL": "postgresql://127.0.0.1:1/no", "VESTKA_PUBLIC_URL": "x"}
    return {"PATH": os.environ["PATH"], "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)} | settings


@contextlib.contextmanager
def staying(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", dict[str, str]]]:
    """A demo that stays up, and the places it named."""
    with subprocess.Popen(
        [*DEMO, "--json"],
        env=environment(folder),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_once_everyone_gets_exactly_their_messages_and_nothing_is_left(tmp_path: Path) -> None:
    with socket.socket() as taken:  # as if a real service ran here
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # if something else has it, that is as good
            taken.bind(("127.0.0.1", 8000))
            taken.listen()
        ran = subprocess.run(
            [*DEMO, "--once", "--json"],
            env=environment(tmp_path),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    (line,) = ran.stdout.splitlines()
    summary = json.loads(line)
    assert summary["ok"] is True
    assert summary["readers"] == len(READERS)
    assert summary["messages"] == sum(len(reader.segments) for reader in READERS)
    assert {(m["segment"], m["state"]) for m in summary["mailings"]} == {
        ("en", "finished"),
        ("be-ru", "finished"),
    }
    assert left(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_of_it(tmp_path: Path, number: signal.Signals) -> None:
    with staying(tmp_path) as (process, places):
        assert answers(places["form"])
        assert answers(places["inbox"])
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
        assert not answers(places["form"])
        assert not answers(places["inbox"])
        assert left(tmp_path) == []


def test_a_shell_that_reads_the_settings_commands_the_instance(tmp_path: Path) -> None:
    with staying(tmp_path) as (_process, places):
        command = f'. "$1"; shift; exec {sys.executable} -m app "$@"'
        for arguments in (
            ["doctor", "--offline"],
            ["issue", "preview", places["week"], "--segment", "en"],
        ):
            ran = subprocess.run(
                ["sh", "-c", command, "sh", places["settings"], *arguments],
                env={**environment(tmp_path), "VESTKA_DATABASE_URL_FILE": "/x", "VESTKA_FROM": "?"},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout


def test_a_killed_demo_takes_its_service_with_it(tmp_path: Path) -> None:
    with staying(tmp_path) as (process, places):
        process.kill()
        process.wait(timeout=30)
        eventually(lambda: not answers(places["form"]), "the service to end")
        (folder,) = tmp_path.iterdir()
        log = folder / "service.log"
        eventually(lambda: "stopped" in log.read_text(encoding="utf-8"), "an orderly end")


def test_a_signal_before_it_is_up_leaves_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        DEMO,
        env=environment(tmp_path),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        eventually(lambda: any(tmp_path.glob("*/service.log")), "the service to be started")
        process.terminate()
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (130, "")
    assert left(tmp_path) == []


def test_what_people_read_says_where_to_look(tmp_path: Path) -> None:
    with subprocess.Popen(
        DEMO,
        env=environment(tmp_path),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
    for name in ("Inbox", "Readers' form", "Operators' API", "Service log"):
        assert re.search(rf"^  {name} +\S", said, re.MULTILINE), said
    assert "to each reader exactly their own" in said
