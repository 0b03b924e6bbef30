"""All keys in one encrypted file, for a place that is not this machine; and back again.

Inside is a tar of the key files as they are, so that `age -d … | tar -x` puts them back as well.
"""

import io
import os
import tarfile
from datetime import date
from pathlib import Path
from typing import BinaryIO

from app.errors import DomainError
from app.keys.age import Recipients, decrypt
from app.keys.generations import generation_in_use
from app.keys.key_files import read_key, sync, write_key
from app.keys.key_format import DESTROYED, KeyDamaged, KeyName, key_names, missing_kinds, name_of

NOTE = "escrowed"
"""The file beside the keys that tells which generation was escrowed last, and on which day."""

_LARGEST = 1 << 20


class KeysThere(DomainError):
    """There are keys in the keys directory already; nothing is overwritten."""


class EscrowDamaged(DomainError):
    """The file opens, but does not hold a whole set of keys."""


def escrow(keys_dir: Path, recipients: Recipients, out: BinaryIO, *, today: date) -> list[str]:
    """Write all key files, encrypted, to `out`; return their names."""
    names = key_names(keys_dir)
    for name in names:
        read_key(keys_dir, name)  # a damaged one would be of no use to anybody
    recipients.encrypt([_packed(keys_dir, names)], out)
    note = keys_dir / NOTE
    note.write_text(f"{generation_in_use(keys_dir)} {today}\n", encoding="ascii")
    return [str(name) for name in names]


def escrowed_generation(keys_dir: Path) -> int:
    """Return the generation that was escrowed last, 0 if none was."""
    try:
        return int((keys_dir / NOTE).read_text(encoding="ascii").split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return 0


def restore(content: bytes, identities: str, keys_dir: Path) -> list[str]:
    """Put the keys of an escrow into a directory that has none; return their names.

    Raises KeysThere, EscrowDamaged, or what `decrypt` raises; then nothing was written.
    """
    if key_names(keys_dir):
        raise KeysThere
    files = _unpacked(decrypt(content, identities))
    if missing_kinds(files):
        raise EscrowDamaged
    keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = keys_dir / ".restored"
    aside.mkdir(mode=0o700)
    try:
        keys = _checked(files, aside)
    finally:
        for file in aside.iterdir():
            file.unlink()
        aside.rmdir()
    for name, key in keys.items():
        write_key(keys_dir, name, key)
    (keys_dir / DESTROYED).unlink(missing_ok=True)
    sync(keys_dir)
    return [str(name) for name in keys]


def _checked(files: dict[KeyName, bytes], aside: Path) -> dict[KeyName, bytes]:
    """Read each as a key file, so that none is taken for another."""
    keys = {}
    for name, content in files.items():
        path = aside / str(name)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, 0o400), "wb") as file:
            file.write(content)
        try:
            keys[name] = read_key(aside, name)
        except KeyDamaged:
            raise EscrowDamaged from None
    return keys


def _packed(keys_dir: Path, names: list[KeyName]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in names:
            content = (keys_dir / str(name)).read_bytes()
            entry = tarfile.TarInfo(str(name))
            entry.size, entry.mode = len(content), 0o400
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _unpacked(packed: bytes) -> dict[KeyName, bytes]:
    files: dict[KeyName, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            for entry in tar:
                name, content = name_of(entry.name), tar.extractfile(entry)
                if name is None or content is None:
                    raise EscrowDamaged
                files[name] = content.read(_LARGEST)
    except tarfile.TarError:
        raise EscrowDamaged from None
    return files
