"""The witness file: lines that are only added, each batch on the disk before it counts.

A line that was not written to its end is none: it is cut off before the next one is added. Several
senders may share the directory; a lock keeps their writes apart.
"""

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from app.keys.key_files import sync

NAME = "witness"
_LOCK = ".witness.lock"
_TAKEN_OVER = ("launches", "endings")


class WitnessFile:
    """The file `witness` in the keys directory."""

    def __init__(self, keys_dir: Path) -> None:
        """Read nothing yet; take over the files that older versions kept."""
        self.path = keys_dir / NAME
        self._take_over()

    def lines(self) -> Iterator[list[str]]:
        """Return the words of each whole line, the oldest first; one at a time is in memory."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield line.decode("ascii", "replace").split()

    def append(self, lines: Iterable[str]) -> None:
        """Add lines; they are on the disk when this returns. Raises OSError."""
        content = "".join(f"{line}\n" for line in lines).encode("ascii")
        if not content:
            return
        with self._locked():
            flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
            is_new = not self.path.exists()
            file = os.open(self.path, flags, 0o600)
            try:
                os.lseek(file, _whole_length(file), os.SEEK_SET)
                os.ftruncate(file, os.lseek(file, 0, os.SEEK_CUR))
                _write_all(file, content)
                os.fsync(file)
            finally:
                os.close(file)
            if is_new:
                sync(self.path.parent)

    def compact(self, keep: Callable[[list[str]], bool]) -> None:
        """Write the file anew with the lines to keep; whole or not at all."""
        if not self.path.exists():
            return
        aside = self.path.with_name(f".{NAME}.new")
        with self._locked():
            flags = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC
            with os.fdopen(os.open(aside, flags, 0o600), "w", encoding="ascii") as new:
                new.writelines(f"{' '.join(words)}\n" for words in self.lines() if keep(words))
                new.flush()
                os.fsync(new.fileno())
            aside.replace(self.path)
            sync(self.path.parent)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
        lock = os.open(self.path.with_name(_LOCK), flags, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _take_over(self) -> None:
        """Add what older versions noted, then remove their files; a kill between does no harm."""
        for name in _TAKEN_OVER:
            old = self.path.with_name(name)
            if old.exists():
                text = old.read_text(encoding="ascii", errors="replace")
                whole = text[: text.rfind("\n") + 1].splitlines()
                self.append(new for line in whole if (new := _taken_over(name, line.split())))
                old.unlink()


def _taken_over(name: str, words: list[str]) -> str | None:
    match words:
        case ["recalled", week, segment, _]:
            return f"mailing {week} {segment} recalled"
        case [week, segment] if name == "launches":
            return f"mailing {week} {segment} launched"
        case [row_id, day] if name == "endings" and _is_day(day):
            return f"ended {row_id} * {day}"
    return None


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _whole_length(file: int) -> int:
    """Return how many bytes of the file are whole lines."""
    size = os.fstat(file).st_size
    start = size
    while start:
        before = max(0, start - 65536)
        part = os.pread(file, start - before, before)
        if (end := part.rfind(b"\n")) >= 0:
            return before + end + 1
        start = before
    return 0


def _write_all(file: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(file, left) :]


def set_witness_aside(keys_dir: Path) -> None:
    """Begin anew beside new keys: what the old file tells of, no key opens any more."""
    path = keys_dir / NAME
    if path.exists():
        path.replace(path.with_name(f"{NAME}.old"))
