"""One service to a data directory: a second one is refused before it opens a port.

The supervisor holds a lock on the directory itself, which needs no file and so no right to write.
It ends with the process, also by `kill -9`.
"""

import errno
import fcntl
import os
from pathlib import Path

from app.deliveries.dispatch.attempt_journal import SenderRunsAlready, lock_folder
from app.errors import DomainError


class ServiceRunsAlready(DomainError):
    """Another `vestka serve` runs with this data directory (VESTKA_DATA_DIR) already."""


class DataDirUnusable(DomainError):
    """The data directory cannot be made or written."""

    @classmethod
    def of(cls, error: OSError) -> "DataDirUnusable":
        """Say what is wrong with it, as far as the system told."""
        why = _REASONS.get(error.errno or 0, "the system refuses it")
        return cls(f"VESTKA_DATA_DIR cannot be written: {why}.")


_REASONS = {
    errno.EROFS: "its disk is mounted read-only",
    errno.ENOSPC: "its disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "it belongs to another user, or its mode forbids it",
    errno.EPERM: "it belongs to another user, or its mode forbids it",
    errno.EEXIST: "something that is not a directory has its name",
    errno.ENOTDIR: "something that is not a directory has its name",
}


def lock_data_dir(data_dir: Path) -> int | None:
    """Lock the directory, and return what holds the lock; None if there is no directory yet.

    Raises ServiceRunsAlready.
    """
    try:
        held = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataDirUnusable.of(error) from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        raise ServiceRunsAlready from None
    return held


def refuse_second_sender(data_dir: Path) -> None:
    """See that no sender works with this directory. Raises SenderRunsAlready, DataDirUnusable."""
    folder = data_dir / "attempts"
    if not folder.is_dir():
        return
    try:
        lock = lock_folder(folder)
    except OSError as error:
        raise DataDirUnusable.of(error) from None
    if lock is None:
        raise SenderRunsAlready
    os.close(lock)


def make_data_dir(data_dir: Path) -> Path:
    """Make the data directory, readable by its owner alone. Raises DataDirUnusable."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = data_dir / f".writable-{os.getpid()}"
        os.close(os.open(probe, os.O_CREAT | os.O_WRONLY, 0o600))
        probe.unlink()
    except OSError as error:
        raise DataDirUnusable.of(error) from None
    return data_dir
