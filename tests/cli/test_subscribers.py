"""`vestka subscribers` as an operator meets it: a process, its output and its exit status."""

import contextlib
import json
import os
import pty
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app.database import Database
from tests.support.builders import everything

ROOT = Path(__file__).parents[2]
LIST = "email,segments,language\nann@example.org,EN,\nales@example.org,BE/RU,ru\nnobody,en,\n"
CONSENT = ("--consent", "They agreed on paper.")


class Desk:
    """An operator's terminal: one installation, commands run in it."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "VESTKA_DATA_DIR": str(folder / "var"),
            "VESTKA_KEYS_DIR": str(folder / "keys"),
            "VESTKA_DATABASE_URL": database_url,
        }
        self.database_url = database_url

    def _command(self, *args: str) -> list[str]:
        return [sys.executable, "-m", "app", "subscribers", *args]

    def run(self, *args: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command without a terminal."""
        return subprocess.run(
            self._command(*args),
            cwd=ROOT,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def answer(self, *args: str, typed: str) -> subprocess.CompletedProcess[str]:
        """Run a command at a terminal, where somebody types."""
        ours, theirs = pty.openpty()
        try:
            os.write(ours, typed.encode())
            return subprocess.run(
                self._command(*args),
                cwd=ROOT,
                env=self.environment,
                stdin=theirs,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        finally:
            os.close(ours)
            os.close(theirs)

    def write(self, content: str = LIST, name: str = "list.csv") -> str:
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return str(path)

    def imports(self, *args: str, content: str = LIST) -> dict[str, Any]:
        done = self.run("import", self.write(content), *CONSENT, "--json", *args)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def readers(self) -> dict[str, int]:
        """How many confirmed subscriptions each segment has."""
        held = Counter(row[1] for row in self.rows()["subscriptions"] if row[2] == "confirmed")
        return dict(held)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        database = Database(self.database_url)
        try:
            return everything(database)
        finally:
            database.close()


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Desk:
    """A new installation, on each database."""
    return Desk(tmp_path, database_url)


def a_small_desk(folder: Path) -> Desk:
    (folder / "var").mkdir()
    return Desk(folder, f"sqlite:///{folder}/var/vestka.db")


@pytest.fixture
def small_desk(tmp_path: Path) -> Desk:
    """A new installation, for what the database has no part in."""
    return a_small_desk(tmp_path)


@pytest.fixture(scope="module")
def filled_desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """An installation with the list in it, for what must change nothing."""
    desk = a_small_desk(tmp_path_factory.mktemp("filled"))
    desk.imports()
    return desk


def test_c14_a_list_goes_in_and_out_and_nobody_can_read_it_inside(desk: Desk) -> None:
    first = desk.imports()
    assert [first[name] for name in ("lines", "added", "bad")] == [3, 2, 1]
    assert [bad["line"] for bad in first["bad_lines"]] == [4]
    assert desk.readers() == {"en": 1, "be-ru": 1}
    assert "example.org" not in repr(desk.rows())

    out = desk.folder / "out.csv"
    exported = desk.run("export", "--plain", "--yes-i-understand", "--out", str(out), "--json")
    assert json.loads(exported.stdout) == {"exported": 2, "damaged": 0}
    assert out.stat().st_mode & 0o777 == 0o600
    header, *lines = out.read_text(encoding="utf-8").splitlines()
    assert header == "email,segments,language"
    assert sorted(lines) == ["ales@example.org,be-ru,ru", "ann@example.org,en,en"]

    before = desk.rows()
    again = desk.run("import", str(out), *CONSENT)
    assert again.returncode == 0
    assert "nothing to add" in again.stdout
    assert desk.rows() == before

    erased = desk.run("erase", "--json", typed="ANN@example.org\n")
    assert json.loads(erased.stdout) == {"erased": True}
    assert desk.readers() == {"be-ru": 1}
    assert desk.run("erase", typed="ann@example.org").stdout == "not subscribed\n"

    before = desk.rows()
    asked = desk.run("import", desk.write(), *CONSENT)
    assert asked.returncode == 2
    assert "New readers in this list: 1;" in asked.stderr
    assert "--yes" in asked.stderr
    assert desk.rows() == before
    assert desk.imports("--yes")["added"] == 1
    assert desk.readers() == {"en": 1, "be-ru": 1}

    version = desk.rows()["consent_texts"][0][0]
    assert [entry[3:] for entry in sorted(desk.rows()["audit_entries"])] == [
        ("list imported", f"{version}: 2 added, 0 changed"),
        ("list exported", "in plain text"),
        ("erasure", "erased"),
        ("erasure", "not subscribed"),
        ("list imported", f"{version}: 1 added, 0 changed"),
    ]


def test_at_a_terminal_the_question_is_asked(small_desk: Desk) -> None:
    small_desk.imports()
    small_desk.run("erase", typed="ann@example.org")
    before = small_desk.rows()
    refused = small_desk.answer("import", small_desk.write(), *CONSENT, typed="n\n")
    assert "New readers in this list: 1;" in refused.stderr
    assert refused.returncode == 1
    assert small_desk.rows() == before
    agreed = small_desk.answer("import", small_desk.write(), *CONSENT, "--json", typed="y\n")
    assert json.loads(agreed.stdout)["added"] == 1
    assert agreed.stdout.startswith("{")
    assert small_desk.readers() == {"en": 1, "be-ru": 1}


def test_bad_lines_are_told_without_their_content(small_desk: Desk) -> None:
    bad = "".join(f"secret{n}@,en,\n" for n in range(150))
    done = small_desk.run("import", small_desk.write(LIST + bad), *CONSENT)
    assert done.returncode == 0
    assert "line 4: " in done.stderr
    assert "line 103: " in done.stderr
    assert "line 104: " not in done.stderr
    assert "and 51 more bad lines" in done.stderr
    assert "bad: 151" in done.stdout
    assert "secret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("args", "content", "says"),
    [
        (("--consent", " "), LIST, "--consent"),
        (CONSENT, "email,segments\nann@example.org,en\n", "lacks columns: language"),
        (CONSENT, "email,segments,language,shoe size\n", "shoe size"),
        (CONSENT, "ann@example.org,en,\n", "first line"),
    ],
)
def test_what_cannot_be_imported_is_one_sentence(
    filled_desk: Desk, args: tuple[str, ...], content: str, says: str
) -> None:
    done = filled_desk.run("import", filled_desk.write(content), *args)
    assert done.returncode == 2
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert last.startswith("vestka: ")
    assert says in last
    assert "@" not in last
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there_is_one_sentence(filled_desk: Desk) -> None:
    done = filled_desk.run("import", str(filled_desk.folder / "no.csv"), *CONSENT)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "vestka: The file to import cannot be read."


def test_a_list_from_a_pipe_is_read_if_once_is_enough(small_desk: Desk) -> None:
    first = small_desk.run("import", "/dev/stdin", *CONSENT, "--json", typed=LIST)
    assert json.loads(first.stdout)["added"] == 2
    again = small_desk.run("import", "/dev/stdin", *CONSENT, typed=LIST)
    assert again.returncode == 2
    assert "--yes" in again.stderr
    forced = small_desk.run("import", "/dev/stdin", *CONSENT, "--yes", "--json", typed=LIST)
    assert json.loads(forced.stdout)["unchanged"] == 2


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ((), "--plain"),
        (("--plain",), "--yes-i-understand"),
        (("--plain", "--yes-i-understand", "--json"), "--out"),
    ],
)
def test_an_export_is_refused_unless_it_is_meant(
    filled_desk: Desk, args: tuple[str, ...], says: str
) -> None:
    done = filled_desk.run("export", *args)
    assert done.returncode == 2
    assert done.stdout == ""
    assert says in done.stderr


@pytest.mark.parametrize(
    ("typed", "status", "lines"), [("yes\nyes\n", 0, 3), ("yes\ny\n", 1, 0), ("no\n", 1, 0)]
)
def test_an_export_asks_twice(filled_desk: Desk, typed: str, status: int, lines: int) -> None:
    done = filled_desk.answer("export", "--plain", typed=typed)
    assert done.returncode == status
    assert len(done.stdout.splitlines()) == lines


def test_an_export_overwrites_nothing(filled_desk: Desk) -> None:
    path = filled_desk.write("mine", "out.csv")
    done = filled_desk.run("export", "--plain", "--yes-i-understand", "--out", path)
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert Path(path).read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("typed", ["", "ann\n", "ann@example.org\nales@example.org\n", "\udcff"])
def test_what_is_no_address_erases_nobody(filled_desk: Desk, typed: str) -> None:
    done = subprocess.run(
        filled_desk._command("erase"),
        cwd=ROOT,
        env=filled_desk.environment,
        input=typed.encode(errors="surrogateescape"),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"vestka: ")
    assert b"ann" not in done.stderr
    assert filled_desk.readers() == {"en": 1, "be-ru": 1}


def test_c14_nothing_can_be_seen_while_a_list_goes_in(small_desk: Desk) -> None:
    """Not in the arguments, the environment, a temporary file or the data, at any moment."""
    temporary = small_desk.folder / "temporary"
    temporary.mkdir()
    lines = [f"qzxvkwjhpy{number}@example.org,en," for number in range(1000)]
    process = subprocess.Popen(
        small_desk._command("import", "/dev/stdin", *CONSENT, "--json"),
        cwd=ROOT,
        env={**small_desk.environment, "TMPDIR": str(temporary)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write("\n".join(["email,segments,language", *lines]).encode())
    process.stdin.close()
    looks = 0
    while process.poll() is None:
        places = [Path(f"/proc/{process.pid}/{name}") for name in ("cmdline", "environ")]
        places += [path for path in small_desk.folder.rglob("*") if path.is_file()]
        for place in places:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                assert b"qzxvkwjhpy" not in place.read_bytes(), place.name
        assert list(temporary.iterdir()) == []
        looks += 1
        time.sleep(0.02)
    assert process.stdout is not None
    with process.stdout as out:
        assert json.loads(out.read())["added"] == 1000
    assert looks > 5


def test_c14_an_address_is_no_argument(filled_desk: Desk) -> None:
    done = filled_desk.run("erase", "ann@example.org")
    assert done.returncode == 2
    assert "ann@" not in done.stderr


def test_a_count_is_a_table_too(filled_desk: Desk) -> None:
    shown = filled_desk.run("count").stdout
    assert "BE/RU" in shown
    assert "example.org" not in shown
