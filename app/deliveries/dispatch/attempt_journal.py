"""The attempt journal: a sender's own append-only file of what it did on the wire.

An `attempt` is written before the relay could take the message and a `result` after its reply, with
a plain `write`: that survives the death of the process, though not of the host. What the database
knows of a message may lag behind; this file does not. Replayed, it tells exactly which messages are
sent, which never left, and which are in doubt.
"""

import contextlib
import errno
import fcntl
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import DomainError

# sender, delivery, number of the attempt, kind of record, stage, reply code, enhanced code (3),
# relay, checksum
_RECORD = struct.Struct("<IQHBBHBHHBI")
_BODY, _CHECKSUM = struct.Struct("<IQHBBHBHHB"), struct.Struct("<I")
_ATTEMPT, _RESULT = 1, 2
_PREFIX = "attempts-"
_SUFFIX = ".journal"
_IDENTITY = "identity"
_RELAYS = "relays"
_BOOT = "boot"
_ROTATE_AT = 4 << 20  # bytes


class SenderRunsAlready(DomainError):
    """A sender already runs with this data directory."""


@dataclass(frozen=True, slots=True)
class Result:
    """How an attempt ended: the stage it came to, the reply's code (0: none), its enhanced code."""

    stage: int
    code: int
    enhanced: tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the journal knows of one delivery's latest attempt: no result means doubt.

    `number` counts the delivery's attempts from 1: one that the database knows already proves
    nothing about a later claim of the same message.
    """

    number: int
    result: Result | None
    relay: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """What a sender's journal tells, by delivery; `whole` if nothing can be missing from it.

    Since its machine was started anew, the last records may not have reached the disk.
    """

    attempts: dict[int, Attempt]
    whole: bool


class Journals:
    """The folder of one sender's journals, held by one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Lock the folder. Raises SenderRunsAlready."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self._lock = lock_folder(folder)
        if self._lock is None:
            raise SenderRunsAlready
        self.identity = identity_of(folder) or _new_identity(folder)

    def forget(self) -> None:
        """Delete the journals, once the database knows what they know."""
        for path in _files(self.folder):
            path.unlink()

    def close(self) -> None:
        """Let go of the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def lock_folder(folder: Path) -> int | None:
    """Lock a folder of journals; None if a living sender holds it. The lock dies with it."""
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def identity_of(folder: Path) -> str | None:
    """Return whose journals lie in a folder; None if that is not written there."""
    return _text(folder / _IDENTITY).strip() or None


def _new_identity(folder: Path) -> str:
    """Make up an identity; it appears whole or not at all."""
    identity = os.urandom(16).hex()
    draft = folder / f"{_IDENTITY}.new"
    _write(draft, identity)
    draft.rename(folder / _IDENTITY)
    return identity


def _write(path: Path, text: str) -> None:
    """Put `text` into a file that its owner alone may read."""
    file = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as opened:
        opened.write(text)


def _files(folder: Path, sender_id: int | None = None) -> list[Path]:
    whose = "*" if sender_id is None else f"{sender_id}-*"
    return sorted(folder.glob(f"{_PREFIX}{whose}{_SUFFIX}"))


class AttemptJournal:
    """Notes attempts and results, and drops a file once all its messages are in the database."""

    def __init__(self, folder: Path, sender_id: int, relays: Sequence[str] = ()) -> None:
        """Begin a new file; files of earlier lives are left alone.

        `relays` are the names that attempts point to by their place.
        """
        self._folder = folder
        self._sender_id = sender_id
        _write(folder / _RELAYS, "\n".join(relays))
        _write(folder / _BOOT, _this_boot())
        self._number = 0
        self._settled: dict[int, bytes] = {}  # delivery -> results that are not written yet
        self._kept_in: dict[int, set[int]] = {}  # delivery -> numbers of the files that tell of it
        self._open_in: dict[int, int] = {}  # number of the file -> deliveries not in the database
        self._file = self._begin()

    def _path(self, number: int) -> Path:
        return self._folder / f"{_PREFIX}{self._sender_id}-{number:06}{_SUFFIX}"

    def _begin(self) -> int:
        flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC
        file = os.open(self._path(self._number + 1), flags, 0o600)
        self._number += 1
        self._open_in[self._number] = 0
        self._size = 0
        return file

    def _write(self, records: bytes, delivery_ids: Iterable[int]) -> None:
        if self._size >= _ROTATE_AT:
            earlier, self._file = self._file, self._begin()
            os.close(earlier)
        # One write of whole records: O_APPEND keeps them in one piece.
        if os.write(self._file, records) != len(records):
            # What follows half a record could not be read.
            os.ftruncate(self._file, self._size)
            raise OSError(errno.ENOSPC, "the attempt journal is full")
        self._size += len(records)
        for delivery_id in delivery_ids:
            kept = self._kept_in.setdefault(delivery_id, set())
            if self._number not in kept:
                kept.add(self._number)
                self._open_in[self._number] += 1

    def note(self, delivery_id: int, number: int, relay: int = 0) -> None:
        """Note that from now on a relay might take this message, at its attempt `number`.

        Raises OSError if that cannot be written: then the message must not go.
        """
        record = _pack(self._sender_id, delivery_id, number, relay, None)
        settled, self._settled = self._settled, {}
        try:
            self._write(b"".join((*settled.values(), record)), (*settled, delivery_id))
        except OSError:
            self._settled = settled | self._settled
            raise

    def settle(self, delivery_id: int, number: int, result: Result, relay: int = 0) -> None:
        """Note how the attempt ended. Raises OSError; then it is noted with what comes next."""
        self.settle_soon(delivery_id, number, result, relay)
        self.flush()

    def settle_soon(self, delivery_id: int, number: int, result: Result, relay: int = 0) -> bool:
        """Note how the attempt ended with the next attempt, or when `flush` is called.

        Until then the message is in doubt, should we die: it is the one that its connection has.
        Returns whether nothing else waits to be written.
        """
        record = _pack(self._sender_id, delivery_id, number, relay, result)
        alone = not self._settled
        self._settled[delivery_id] = self._settled.get(delivery_id, b"") + record
        return alone

    def flush(self) -> None:
        """Write the results that wait. Raises OSError; then they wait on."""
        if self._settled:
            self._write(b"".join(self._settled.values()), self._settled)
            self._settled = {}

    def recorded(self, delivery_ids: Iterable[int]) -> None:
        """Take notice that the database knows these now; delete files that are done with.

        The newest file stays: that there is one tells that the journal was not lost.
        """
        for delivery_id in delivery_ids:
            self._settled.pop(delivery_id, None)  # nobody needs it any more
            for number in self._kept_in.pop(delivery_id, ()):
                self._open_in[number] -= 1
        for number in [n for n, left in self._open_in.items() if not left and n != self._number]:
            del self._open_in[number]
            self._path(number).unlink(missing_ok=True)

    def close(self) -> None:
        """Write what waits, and close the file; what cannot be written is in doubt."""
        with contextlib.suppress(OSError):
            self.flush()
        os.close(self._file)


def _pack(
    sender_id: int, delivery_id: int, number: int, relay: int, result: Result | None
) -> bytes:
    kind = _ATTEMPT if result is None else _RESULT
    stage, code, enhanced = (
        (0, 0, None) if result is None else (result.stage, result.code, result.enhanced)
    )
    a, b, c = enhanced or (0, 0, 0)
    body = _BODY.pack(sender_id, delivery_id, number, kind, stage, code, a, b, c, min(relay, 255))
    return body + _CHECKSUM.pack(zlib.crc32(body))


def _unpack(record: bytes, relays: Sequence[str]) -> tuple[int, int, Attempt] | None:
    """Read a record; None for one that was not written to its end."""
    sender_id, delivery_id, number, kind, stage, code, a, b, c, relay, checksum = _RECORD.unpack(
        record
    )
    if zlib.crc32(record[:-4]) != checksum or kind not in (_ATTEMPT, _RESULT):
        return None
    result = Result(stage, code, (a, b, c) if a else None) if kind == _RESULT else None
    name = relays[relay] if relay < len(relays) else ""
    return sender_id, delivery_id, Attempt(number, result, name)


def replay(folder: Path, sender_id: int) -> Replay | None:
    """Return the latest attempt at each message; None if this sender's journal is lost.

    A torn record at a file's end is no record.
    """
    files = _files(folder, sender_id)
    if not files:
        return None
    relays = _text(folder / _RELAYS).splitlines()
    found: dict[int, Attempt] = {}
    for path in files:
        for record in _records(path.read_bytes(), relays):
            if record[0] == sender_id:
                found[record[1]] = record[2]
    return Replay(found, _text(folder / _BOOT) == _this_boot())


def latest_attempts(folder: Path) -> dict[int, Attempt]:
    """Return the latest attempt at each message that any journal in a folder tells of."""
    relays = _text(folder / _RELAYS).splitlines()
    found: dict[int, Attempt] = {}
    for path in _files(folder):
        for _, delivery_id, attempt in _records(path.read_bytes(), relays):
            known = found.get(delivery_id)
            if known is None or attempt.number >= known.number:
                found[delivery_id] = attempt
    return found


def _records(content: bytes, relays: Sequence[str]) -> Iterator[tuple[int, int, Attempt]]:
    whole = len(content) - len(content) % _RECORD.size
    for start in range(0, whole, _RECORD.size):
        record = _unpack(content[start : start + _RECORD.size], relays)
        if record is None:
            return
        yield record


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _this_boot() -> str:
    """Return what tells one start of this machine from another; where nothing does, always so."""
    return _text(Path("/proc/sys/kernel/random/boot_id")).strip() or "unknown"
