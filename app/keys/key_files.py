"""Key files, private ones too: read, written and destroyed. The public process imports it not."""

import contextlib
import os
import secrets
from pathlib import Path

from app.keys.key_format import (
    DESTROYED,
    MAX_TEXT,
    KeyMissing,
    KeyName,
    KeysDestroyed,
    KeyUnreadable,
    os_reason,
    read_text,
    text_of,
)


def read_key(keys_dir: Path, name: KeyName) -> bytes:
    """Return the bytes of a key; refuse a file that others can read or that is damaged."""
    try:
        with (keys_dir / str(name)).open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            text = stream.read(MAX_TEXT).decode("ascii", "replace")
    except FileNotFoundError:
        raise KeyMissing(f"The key file {name} is missing.") from None
    except OSError as error:
        raise KeyUnreadable(f"The key file {name} cannot be read: {os_reason(error)}.") from None
    return read_text(name, mode, text)


def write_key(keys_dir: Path, name: KeyName, key: bytes) -> None:
    """Write a new key file, readable by its owner alone, and on the disk before returning."""
    _write(keys_dir / str(name), name, key)


def _write(path: Path, name: KeyName, key: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(file, "w", encoding="ascii") as stream:
        stream.write(text_of(name, key))
        stream.flush()
        os.fsync(stream.fileno())


def place_key(keys_dir: Path, name: KeyName, key: bytes) -> None:
    """Put a key file in place whole or not at all, beside keys that are in use.

    It belongs to whom the directory belongs to, whoever runs the command.
    """
    aside = keys_dir / f".{name}.new"
    aside.unlink(missing_ok=True)
    _write(aside, name, key)
    owner = keys_dir.stat()
    if os.geteuid() == 0:
        os.chown(aside, owner.st_uid, owner.st_gid)
    aside.rename(keys_dir / str(name))
    sync(keys_dir)
    if (keys_dir / DESTROYED).exists():  # while we wrote
        destroy(keys_dir / str(name))
        raise KeysDestroyed


def destroy(file: Path) -> None:
    """Overwrite a file and remove it. What a disk keeps of it elsewhere, no program can reach."""
    with contextlib.suppress(FileNotFoundError):
        file.chmod(0o600)
        with file.open("r+b") as stream:
            stream.write(secrets.token_bytes(max(os.fstat(stream.fileno()).st_size, 1)))
            stream.flush()
            os.fsync(stream.fileno())
        file.unlink()


def sync(directory: Path) -> None:
    """Put names on the disk: a rename is only as durable as its directory."""
    file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
