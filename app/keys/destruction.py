"""Destroying what makes the list readable, at once and for good.

Nothing is asked of the database, and no lock is waited for. The mark is set first: whatever runs
sees it within a second and ends, and nothing makes new keys beside the old list.
"""

import os
from datetime import date
from pathlib import Path

from app.keys.generations import ROTATED
from app.keys.key_files import destroy, sync
from app.keys.key_format import DESTROYED, key_names

# What opens addresses goes first.
_ORDER = (*ROTATED, "never", "link")
_FOLDERS = (".making", ".made", ".restored")


def destroy_all(keys_dir: Path, *, today: date) -> list[str]:
    """Destroy every key in the directory; return the names of what was destroyed."""
    mark = os.open(keys_dir / DESTROYED, os.O_CREAT | os.O_WRONLY, 0o644)
    os.write(mark, f"{today}\n".encode("ascii"))
    os.close(mark)
    names = sorted(key_names(keys_dir), key=lambda name: _ORDER.index(name.purpose))
    files = [keys_dir / str(name) for name in names]
    files += sorted(keys_dir.glob(".*.new"))
    for folder in _FOLDERS:
        files += sorted((keys_dir / folder).glob("*"))
    for file in files:
        destroy(file)
    sync(keys_dir)
    return [file.name for file in files]
