"""The attempt journal: a sender's own append-only file of what it did on the wire.

An `attempt` is written before the relay could take the letter and a `result` after its reply, with
a plain `write`: that survives the death of the process, though not of the host. What the database
knows of a letter may lag behind; this file does not. Replayed, it tells exactly which letters are
sent, which never left, and which are in doubt.
"""

import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.errors import Refusal

# sender number, delivery number, kind of record, stage, reply code, enhanced code, checksum
_RECORD = struct.Struct("<IQBBHBHHxI")
_ATTEMPT, _RESULT = 1, 2
_PREFIX = "attempts-"
_SUFFIX = ".journal"
_ROTATE_AT = 4 << 20  # bytes


class SenderRunsAlready(Refusal):
    """A sender already runs with this data directory."""


@dataclass(frozen=True, slots=True)
class Result:
    """How an attempt ended: the stage it came to, the reply's code (0: none), its enhanced code."""

    stage: int
    code: int
    enhanced: tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the journal knows of one delivery: no result means doubt."""

    sender_id: int
    delivery_id: int
    result: Result | None


class Journals:
    """The folder of one sender's journals, held by one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Lock the folder. Raises SenderRunsAlready."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self._lock = lock_folder(folder)
        if self._lock is None:
            raise SenderRunsAlready
        self.identity = _identity(folder)

    def replay(self) -> dict[tuple[int, int], Attempt]:
        """Return what earlier lives of this sender noted, by sender and delivery."""
        return replay(self.folder)

    def forget_earlier(self) -> None:
        """Delete the journals of earlier lives, once the database knows what they know."""
        for path in _files(self.folder):
            path.unlink()

    def close(self) -> None:
        """Let go of the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def lock_folder(folder: Path) -> int | None:
    """Lock a folder of journals; None if a living sender holds it. The lock dies with its holder."""
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def _identity(folder: Path) -> str:
    path = folder / "identity"
    if not path.exists():
        path.write_text(os.urandom(16).hex(), encoding="ascii")
    return path.read_text(encoding="ascii").strip()[:40]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{_PREFIX}*{_SUFFIX}"))


class AttemptJournal:
    """Notes attempts and results, and drops a file once all its letters are in the database."""

    def __init__(self, folder: Path, sender_id: int) -> None:
        """Begin a new file; files of earlier lives are left alone."""
        self._folder = folder
        self._sender_id = sender_id
        self._number = 0
        self._noted_in: dict[int, int] = {}  # delivery -> number of the file with its attempt
        self._open_in: dict[int, int] = {}  # number of the file -> deliveries not in the database
        self._file = self._begin()

    def _path(self, number: int) -> Path:
        return self._folder / f"{_PREFIX}{self._sender_id}-{number:06}{_SUFFIX}"

    def _begin(self) -> int:
        self._number += 1
        self._open_in[self._number] = 0
        self._size = 0
        flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC
        return os.open(self._path(self._number), flags, 0o600)

    def _write(self, record: bytes) -> None:
        # One write of a whole record: O_APPEND keeps it in one piece.
        os.write(self._file, record)
        self._size += len(record)

    def note(self, delivery_id: int) -> None:
        """Note that from now on the relay might take this letter."""
        if self._size >= _ROTATE_AT:
            os.close(self._file)
            self._file = self._begin()
        self._write(_pack(self._sender_id, delivery_id, _ATTEMPT, None))
        self._noted_in[delivery_id] = self._number
        self._open_in[self._number] += 1

    def settle(self, delivery_id: int, result: Result) -> None:
        """Note how the attempt ended."""
        self._write(_pack(self._sender_id, delivery_id, _RESULT, result))

    def recorded(self, delivery_ids: Iterator[int] | list[int]) -> None:
        """Take notice that the database knows these now; delete files that are done with."""
        for delivery_id in delivery_ids:
            number = self._noted_in.pop(delivery_id, None)
            if number is not None:
                self._open_in[number] -= 1
        for number in [n for n, left in self._open_in.items() if not left and n != self._number]:
            del self._open_in[number]
            self._path(number).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file, and delete it if nothing in it is still needed."""
        os.close(self._file)
        if not any(self._open_in.values()):
            for number in self._open_in:
                self._path(number).unlink(missing_ok=True)


def _pack(sender_id: int, delivery_id: int, kind: int, result: Result | None) -> bytes:
    stage, code, enhanced = (
        (0, 0, None) if result is None else (result.stage, result.code, result.enhanced)
    )
    a, b, c = enhanced or (0, 0, 0)
    body = _RECORD.pack(sender_id, delivery_id, kind, stage, code, a, b, c, 0)[:-4]
    return body + struct.pack("<I", zlib.crc32(body))


def _unpack(record: bytes) -> tuple[int, int, int, Result] | None:
    """Read a record; None for one that was not written to its end."""
    sender_id, delivery_id, kind, stage, code, a, b, c, checksum = _RECORD.unpack(record)
    if zlib.crc32(record[:-4]) != checksum or kind not in (_ATTEMPT, _RESULT):
        return None
    return sender_id, delivery_id, kind, Result(stage, code, (a, b, c) if a else None)


def replay(folder: Path) -> dict[tuple[int, int], Attempt]:
    """Read all journals of a folder; a torn record at a file's end is no record.

    A letter's later attempt supersedes an earlier one of the same life.
    """
    found: dict[tuple[int, int], Attempt] = {}
    for path in _files(folder):
        content = path.read_bytes()
        whole = len(content) - len(content) % _RECORD.size
        for start in range(0, whole, _RECORD.size):
            record = _unpack(content[start : start + _RECORD.size])
            if record is None:
                break
            sender_id, delivery_id, kind, result = record
            found[sender_id, delivery_id] = Attempt(
                sender_id, delivery_id, result if kind == _RESULT else None
            )
    return found
