"""Making the first set of keys, once, whole, however many processes start together.

A set is written into a folder aside, which gets its final name only when it is complete; its files
then move out one by one. Whoever dies on the way is finished or undone by the next. A set of which
a part is missing is refused: a new list key beside an old list would only look like a repair.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.keys.key_files import sync, write_key
from app.keys.key_format import (
    LENGTHS,
    KeyMissing,
    KeyName,
    KeyUnreadable,
    key_names,
    missing_kinds,
    os_reason,
    refuse_destroyed,
)

RECOVERY = """\
New keys were made in {keys_dir}

Without them nobody, you included, can ever read an address again. Do this now:

  1. Copy the whole directory {keys_dir} to two places that are not this machine, not a backup of
     its database, and out of reach of whoever could take either: an encrypted stick, a sealed
     envelope. Each file is one short line, so paper will do. `vestka seal escrow` makes a copy
     that only the holder of an age identity elsewhere can open.
  2. Never keep such a copy beside a copy of the database: together they are the list.
  3. To recover, put the files back under the same names, directory mode 0700, files mode 0400,
     owned by the user the service runs as; then start the service. A file that was mistyped or
     mixed up is refused by name.

What is lost with a file:
  list.*.key   every subscriber's address, for good: all would have to subscribe again
  hot.*.key    sign-ups that the sender has not taken in yet: half a second's worth, as a rule
  index.*.key  knowing who is subscribed already
  never.*.key  knowing who must never be written to again
  mac.*.key    the right to write to anyone already on the list, and open confirmation links
  link.*.key   the unsubscribe links in all messages sent so far
"""
"""What to say once `create_keys` made a set; fill in `keys_dir`."""

SEALING = ("hot", "list")
"""The purposes whose keys have a public half."""

_MAKING = ".making"
_MADE = ".made"


def create_keys(keys_dir: Path) -> bool:
    """Make the keys unless they are there; tell whether they are new, so that RECOVERY is due.

    Raises `KeyMissing` for a set with holes, `KeyUnreadable` for a directory that cannot be used.
    """
    refuse_destroyed(keys_dir)
    if _is_whole(keys_dir):
        return False
    try:
        with _alone_in(keys_dir):
            return _create(keys_dir)
    except OSError as error:
        raise KeyUnreadable(
            f"The keys directory cannot be written to: {os_reason(error)}."
        ) from None


def finish_creation(keys_dir: Path) -> None:
    """Move out a whole set whose maker was killed before it had; make nothing."""
    if not (keys_dir / _MADE).exists():
        return
    try:
        with _alone_in(keys_dir):
            if (keys_dir / _MADE).exists():
                _move_out(keys_dir)
    except OSError as error:
        raise KeyUnreadable(
            f"The keys directory cannot be written to: {os_reason(error)}."
        ) from None


def _unwritable(error: OSError) -> KeyUnreadable:
    return KeyUnreadable(f"The keys directory cannot be written to: {os_reason(error)}.")


def _create(keys_dir: Path) -> bool:
    if (keys_dir / _MADE).exists():
        _move_out(keys_dir)
        return True
    names = key_names(keys_dir)
    if not names:
        _write_aside(keys_dir)
        _move_out(keys_dir)
        return True
    if missing := missing_kinds(names):
        raise KeyMissing(
            f"The keys directory lacks {', '.join(missing)}. On the sender's host, put them back"
            " from your own copy or with `vestka seal restore`. On any other host, run this on the"
            " sender's host instead, and copy no key here."
        )
    return False


def _is_whole(keys_dir: Path) -> bool:
    return not (keys_dir / _MADE).exists() and not missing_kinds(key_names(keys_dir))


@contextmanager
def _alone_in(keys_dir: Path) -> Iterator[None]:
    """Hold the directory; the lock ends with the process that holds it, also by a kill."""
    keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory = os.open(keys_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _write_aside(keys_dir: Path) -> None:
    keys_dir.chmod(0o700)
    aside = keys_dir / _MAKING
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    for name, key in _fresh():
        write_key(aside, name, key)
    sync(aside)
    aside.rename(keys_dir / _MADE)
    sync(keys_dir)


def _move_out(keys_dir: Path) -> None:
    made = keys_dir / _MADE
    for file in sorted(made.iterdir()):
        file.rename(keys_dir / file.name)
    sync(keys_dir)
    made.rmdir()


def _fresh() -> Iterator[tuple[KeyName, bytes]]:
    for purpose in LENGTHS:
        key = new_secret(purpose)
        yield KeyName(purpose, 1, "key"), key
        if purpose in SEALING:
            yield KeyName(purpose, 1, "pub"), public_half(key)


def new_secret(purpose: str) -> bytes:
    """Return a new secret key of this purpose."""
    if purpose in SEALING:
        return X25519PrivateKey.generate().private_bytes_raw()
    return secrets.token_bytes(LENGTHS[purpose])


def public_half(private: bytes) -> bytes:
    """Return the public key of an X25519 secret."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
