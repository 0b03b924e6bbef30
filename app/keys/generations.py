"""Generations of keys: the next is made and known everywhere before it is used, the last destroyed.

`list.2.key` and its kin make generation 2; it is in use as soon as `list.2.pub` is there. Each step
is whole or not at all on the disk, and can be taken again.
"""

import os
from datetime import date
from pathlib import Path

from app.errors import DomainError
from app.keys.creation import SEALING, new_secret, public_half
from app.keys.key_files import destroy, place_key, read_key, sync
from app.keys.key_format import MAX_KID, KeyMissing, KeyName, key_names

ROTATED = ("list", "hot", "index", "mac")
"""The purposes of which each generation has a key of its own; the others stay."""

NOTES = "generations"
"""The file that tells on which day each generation was begun."""


class GenerationsUsedUp(DomainError):
    """There were 255 generations of keys; a key id is one byte."""


def generation_in_use(keys_dir: Path) -> int:
    """Return the newest generation that seals."""
    kids = [name.kid for name in key_names(keys_dir) if name.kind == ("list", "pub")]
    if not kids:
        raise KeyMissing("The keys directory has no file list.1.pub.")
    return max(kids)


def generation_made(keys_dir: Path) -> int:
    """Return the newest generation of which there is any key, in use or not."""
    return max(name.kid for name in key_names(keys_dir) if name.purpose in ROTATED)


def make_generation(keys_dir: Path, kid: int, *, today: date) -> None:
    """Make the secret keys of generation `kid`, those that are not there yet; none is in use."""
    if kid > MAX_KID:
        raise GenerationsUsedUp
    _note(keys_dir, kid, today)
    there = set(key_names(keys_dir))
    for purpose in ROTATED:
        name = KeyName(purpose, kid, "key")
        if name not in there:
            place_key(keys_dir, name, new_secret(purpose))


def use_generation(keys_dir: Path, kid: int) -> None:
    """Let everything be sealed, indexed and marked with generation `kid` from now on."""
    there = set(key_names(keys_dir))
    for purpose in reversed(SEALING):  # the list's last: it is what tells the generation
        name = KeyName(purpose, kid, "pub")
        if name not in there:
            secret = read_key(keys_dir, KeyName(purpose, kid, "key"))
            place_key(keys_dir, name, public_half(secret))


def older_keys(keys_dir: Path, kid: int) -> list[KeyName]:
    """Return the key files of generations before `kid`; what opens addresses first."""
    older = [n for n in key_names(keys_dir) if n.purpose in ROTATED and n.kid < kid]
    return sorted(older, key=lambda name: (name.suffix, ROTATED.index(name.purpose), name.kid))


def destroy_keys(keys_dir: Path, names: list[KeyName]) -> None:
    """Destroy key files, for good."""
    for name in names:
        destroy(keys_dir / str(name))
    if names:
        sync(keys_dir)


def begun(keys_dir: Path) -> dict[int, date]:
    """Return on which day each generation was begun, as far as it was noted."""
    path = keys_dir / NOTES
    if not path.exists():
        return {}
    lines = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return {int(kid): date.fromisoformat(day) for kid, day in lines}


def oldest_day(keys_dir: Path) -> date | None:
    """Return the day before which no sealed row can be opened by any key that is here."""
    kids = [name.kid for name in key_names(keys_dir) if name.kind == ("list", "key")]
    return begun(keys_dir).get(min(kids)) if kids else None


def _note(keys_dir: Path, kid: int, today: date) -> None:
    if kid in begun(keys_dir):
        return
    path = keys_dir / NOTES
    with os.fdopen(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "a") as file:
        file.write(f"{kid} {today}\n")
        file.flush()
        os.fsync(file.fileno())
