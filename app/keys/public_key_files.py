"""The key files of a host that faces the internet are read: public halves and link keys only."""

import os
from pathlib import Path

from app.keys.key_format import (
    MAX_TEXT,
    KeyMissing,
    KeyName,
    KeyUnreadable,
    key_names,
    os_reason,
    read_text,
)

READABLE = (("hot", "pub"), ("list", "pub"), ("link", "key"))
"""The files that such a host holds: purpose and suffix."""


def read_public_key(keys_dir: Path, name: KeyName) -> bytes:
    """Return the bytes of a key; refuse a file that others can change or that is damaged.

    Raises ValueError for a file that is not one of READABLE.
    """
    if name.kind not in READABLE:
        raise ValueError("not a key of the public process")
    try:
        with (keys_dir / str(name)).open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            text = stream.read(MAX_TEXT).decode("ascii", "replace")
    except FileNotFoundError:
        raise KeyMissing(f"The key file {name} is missing.") from None
    except OSError as error:
        raise KeyUnreadable(f"The key file {name} cannot be read: {os_reason(error)}.") from None
    return read_text(name, mode, text)


def public_keys_by_kid(keys_dir: Path, purpose: str, suffix: str) -> dict[int, bytes]:
    """Return the keys of one kind by key id. Raises KeyMissing if there is none."""
    names = [name for name in key_names(keys_dir) if name.kind == (purpose, suffix)]
    if not names:
        raise KeyMissing(f"The keys directory has no file {purpose}.1.{suffix}.")
    return {name.kid: read_public_key(keys_dir, name) for name in names}
