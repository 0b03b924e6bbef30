"""Who got which issue, as keyed hashes beside the keys: nobody gets it again after a restore.

Eight bytes for each message that a relay took, written before the ledger knows. Without the key and
the list they tell nothing; they go when the ledger forgets the mailing's rows.
"""

import hmac
import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

from app.witness.remembered import MailingKey

FOLDER = "sent"
SIZE = 8
_KEPT_AT_LEAST = timedelta(days=90)


class SentNotes:
    """The files of `sent/`: one for each issue and segment."""

    def __init__(self, keys_dir: Path, key: bytes) -> None:
        """`key` must be one that no rotation changes."""
        self._folder = keys_dir / FOLDER
        self._key = key
        self._lock = Lock()
        self._files: dict[MailingKey, int] = {}
        self._unsynced: set[MailingKey] = set()

    @property
    def is_dirty(self) -> bool:
        """Whether something was noted since the last `sync`."""
        return bool(self._unsynced)

    def note(self, mailing: MailingKey, subscriber_ids: Iterable[bytes]) -> None:
        """Note that these readers have the issue. It survives a kill at once. Raises OSError."""
        content = b"".join(self.digest(mailing, each) for each in subscriber_ids)
        if not content:
            return
        with self._lock:
            file = self._files.get(mailing)
            if file is None:
                file = self._files[mailing] = self._open(mailing)
            os.write(file, content)
            self._unsynced.add(mailing)

    def digest(self, mailing: MailingKey, subscriber_id: bytes) -> bytes:
        """Return what stands for a reader in a mailing's file."""
        said = f"sent|{mailing[0]}|{mailing[1]}|".encode() + subscriber_id
        return hmac.digest(self._key, said, "sha256")[:SIZE]

    def known(self, mailing: MailingKey) -> set[bytes]:
        """Return the digests of a mailing; none if nothing of it was noted."""
        try:
            content = self._path(mailing).read_bytes()
        except FileNotFoundError:
            return set()
        return {content[at : at + SIZE] for at in range(0, len(content) - SIZE + 1, SIZE)}

    def count(self, mailing: MailingKey) -> int | None:
        """Count the readers who have it; None if nothing of it was noted."""
        return len(self.known(mailing)) if self._path(mailing).exists() else None

    def sync(self) -> None:
        """Put on the disk what was noted."""
        with self._lock:
            unsynced, self._unsynced = self._unsynced, set()
            for mailing in unsynced:
                os.fsync(self._files[mailing])

    def begin_anew(self, mailing: MailingKey) -> None:
        """Forget who got it: an operator sends it once more to everybody."""
        with self._lock:
            self._unsynced.discard(mailing)
            if (file := self._files.pop(mailing, None)) is not None:
                os.close(file)
            self._path(mailing).unlink(missing_ok=True)

    def forget_old(self, retention: timedelta, *, now: datetime) -> None:
        """Delete what nothing was added to for longer than the ledger keeps its rows."""
        before = (now - max(retention, _KEPT_AT_LEAST)).timestamp()
        for path in self._folder.glob("*.*") if self._folder.exists() else ():
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Put it on the disk and close the files."""
        self.sync()
        with self._lock:
            for file in self._files.values():
                os.close(file)
            self._files = {}

    def _path(self, mailing: MailingKey) -> Path:
        return self._folder / f"{mailing[0]}.{mailing[1]}"

    def _open(self, mailing: MailingKey) -> int:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC
        file = os.open(self._path(mailing), flags, 0o600)
        size = os.fstat(file).st_size
        if size % SIZE:  # its writer was killed in the middle
            os.ftruncate(file, size - size % SIZE)
        return file
