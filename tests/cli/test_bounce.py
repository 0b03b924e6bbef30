"""`vestka bounce --explain` and `--reply`: one line of JSON for each thing, and nothing changes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.bounce import MessageUnreadable, NothingToExplain, explain_messages, explain_replies

MESSAGES = Path(__file__).parents[1] / "mail/reports/messages"
KEYS = ["file", "class", "reason", "recipients", "code", "status"]


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_messages_are_explained(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    explain_messages([MESSAGES / "hard", MESSAGES / "soft"])
    told = lines(capfdbinary.readouterr().out.decode())
    paths = [*sorted((MESSAGES / "hard").iterdir()), *sorted((MESSAGES / "soft").iterdir())]
    assert [each["file"] for each in told] == [str(path) for path in paths]
    assert all(list(each) == KEYS for each in told)
    assert {str(each["class"]) for each in told} == {"hard", "soft"}


def test_a_directory_is_walked_in_the_order_of_names(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for name in ("b/2", "a", "b/1"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    explain_messages([tmp_path])
    told = lines(capfdbinary.readouterr().out.decode())
    assert [each["file"] for each in told] == [str(tmp_path / n) for n in ("a", "b/1", "b/2")]


def test_replies_are_explained(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    said = ["550 5.1.1 <ann@example.com> User unknown", "", "452 4.2.2 full", "\udcff"]
    explain_replies(line.encode("utf-8", "surrogateescape") + b"\r\n" for line in said)
    told = lines(capfdbinary.readouterr().out.decode())
    assert [each["class"] for each in told] == ["hard", "unknown", "soft", "unknown"]
    assert told[0]["recipients"] == ["ann@example.com"]
    assert (told[0]["code"], told[0]["status"]) == (550, "5.1.1")


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MessageUnreadable):
        explain_messages([tmp_path / "none"])
    with pytest.raises(NothingToExplain):
        explain_messages([])


def test_the_command_needs_no_settings() -> None:
    command = [sys.executable, "-m", "app", "bounce", "--reply"]
    done = subprocess.run(
        command, input=b"550 no such user\n", capture_output=True, check=True, env={}
    )
    assert json.loads(done.stdout)["class"] == "hard"
