"""An operator's terminal in this process: a command's status, what it printed, what it said."""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.cli import parser, public_context
from app.database import Database
from tests.support.builders import PUBLIC_URL


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The last line of standard output."""
        assert self.status in (0, 1), self.err
        return json.loads(self.out.splitlines()[-1])


class Terminal:
    """One installation; commands run in it one after the other."""

    def __init__(
        self,
        patch: pytest.MonkeyPatch,
        captured: pytest.CaptureFixture[str],
        settings: Mapping[str, str],
    ) -> None:
        """Set the environment to these settings and no others."""
        self._patch = patch
        self._captured = captured
        self._opened: list[Database] = []
        patch.setattr(public_context, "Database", self._open)
        for name, value in settings.items():
            patch.setenv(name, value)

    def _open(self, url: str) -> Database:
        """Open a database that is closed with its command, as it is when a process ends."""
        self._opened.append(Database(url))
        return self._opened[-1]

    def set(self, name: str, value: str) -> None:
        """Change a setting."""
        self._patch.setenv(name, value)

    def run(self, *arguments: str | Path) -> Ran:
        """Run `vestka ARGUMENTS`."""
        self._patch.setattr(sys, "argv", ["vestka", *map(str, arguments)])
        self._captured.readouterr()
        with pytest.raises(SystemExit) as ended:
            parser.main()
        while self._opened:
            self._opened.pop().close()
        out, err = self._captured.readouterr()
        return Ran(int(ended.value.code or 0), out, err)

    def refused(self, *arguments: str | Path) -> str:
        """Run a command that must end with status 2 and one sentence; return that."""
        ran = self.run(*arguments)
        assert (ran.status, ran.out, ran.err.count("\n")) == (2, "", 1), ran
        return ran.err.removeprefix("vestka: ").rstrip("\n")


@pytest.fixture
def terminal(
    database: Database,
    keys_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Terminal]:
    """A terminal whose installation has a database, keys, and a relay that nobody answers at."""
    settings = {
        "VESTKA_DATA_DIR": str(tmp_path / "var"),
        "VESTKA_KEYS_DIR": str(keys_dir),
        "VESTKA_DATABASE_URL": database.url.render_as_string(hide_password=False),
        "VESTKA_PUBLIC_URL": PUBLIC_URL,
        "VESTKA_FROM": "News <news@example.org>",
        "VESTKA_RELAYS": "smtp+insecure://127.0.0.1:1",
    }
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Terminal(monkeypatch, capsys, settings)
    root.handlers[:], root.level = handlers, level
