"""How a key file is named and written, and what may be wrong with it. Opens no key file.

`list.1.key` holds the secret of purpose `list`, key id 1; `list.1.pub` its public half. The text is
one line that can be kept on paper: the key in base64url, a space, and eight hex digits of a check
over name and key, so that a slip of the pen or a mixed-up file is noticed and never used.
"""

import errno
import hashlib
import os
import re
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from app.errors import DomainError

LENGTHS = {"hot": 32, "list": 32, "index": 32, "never": 32, "mac": 32, "link": 64}
"""Bytes of a key by purpose: X25519 twice, HMAC thrice, AES-SIV (RFC 5297: twice 32)."""

KINDS = (
    ("hot", "pub"),
    ("hot", "key"),
    ("list", "pub"),
    ("list", "key"),
    ("index", "key"),
    ("never", "key"),
    ("mac", "key"),
    ("link", "key"),
)
"""The files of a whole set: purpose and suffix."""

_NAME = re.compile(r"([a-z]+)\.([1-9][0-9]{0,2})\.(pub|key)", re.ASCII)
DESTROYED = "destroyed"
"""The name of the mark that a panic leaves: no new keys may be made beside the old list."""

MAX_KID = 255  # it travels as one byte
MAX_TEXT = 200
"""How much of a key file is read, in bytes."""


class KeyMissing(DomainError):
    """A key file is missing."""


class KeyUnreadable(DomainError):
    """A key file or the keys directory cannot be used."""


class KeyExposed(DomainError):
    """A key file is open to others than its owner."""


class KeyDamaged(DomainError):
    """A key file does not hold the key that its name promises."""


class KeysDestroyed(DomainError):
    """The keys were destroyed by `vestka seal panic`: no address can be read any more."""


class KeyName(NamedTuple):
    """The name of a key file."""

    purpose: str
    kid: int
    suffix: str

    def __str__(self) -> str:
        """Return the file's name."""
        return f"{self.purpose}.{self.kid}.{self.suffix}"

    @property
    def kind(self) -> tuple[str, str]:
        """Purpose and suffix: what several key ids have in common."""
        return self.purpose, self.suffix


def key_names(keys_dir: Path) -> list[KeyName]:
    """Return the names of the key files in a directory; other files there are not ours."""
    try:
        entries = sorted(entry.name for entry in keys_dir.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise KeyUnreadable(f"The keys directory cannot be read: {os_reason(error)}.") from None
    return [name for name in map(name_of, entries) if name is not None]


def name_of(text: str) -> KeyName | None:
    """Read the name of a key file; None if it is none of ours."""
    match = _NAME.fullmatch(text)
    if match is None:
        return None
    name = KeyName(match[1], int(match[2]), match[3])
    return name if name.kind in KINDS and name.kid <= MAX_KID else None


def os_reason(error: OSError) -> str:
    """Say what the system said, without a path: too many open files, permission denied."""
    return os.strerror(error.errno or errno.EIO).lower()


def refuse_destroyed(keys_dir: Path) -> None:
    """Refuse a directory whose keys were destroyed on purpose."""
    if (keys_dir / DESTROYED).exists():
        raise KeysDestroyed


def missing_kinds(names: Iterable[KeyName]) -> list[str]:
    """Return what a whole set has and `names` has not, as `hot.*.pub`."""
    have = {name.kind for name in names}
    return [f"{purpose}.*.{suffix}" for purpose, suffix in KINDS if (purpose, suffix) not in have]


def read_text(name: KeyName, mode: int, text: str) -> bytes:
    """Return the key that a file's text holds. Raises KeyExposed for its mode, or KeyDamaged."""
    _refuse_exposed(name, mode)
    encoded, _, check = text.strip().partition(" ")
    try:
        key = urlsafe_b64decode(encoded)
    except ValueError:
        key = b""
    if len(key) != LENGTHS[name.purpose] or check != _check(name, key):
        raise KeyDamaged(f"The key file {name} does not hold the key that its name promises.")
    return key


def text_of(name: KeyName, key: bytes) -> str:
    """Return the text of a key's file."""
    return f"{urlsafe_b64encode(key).decode('ascii')} {_check(name, key)}\n"


def _refuse_exposed(name: KeyName, mode: int) -> None:
    """Refuse a secret others can read, and a public key others can replace by their own."""
    forbidden = stat.S_IWGRP | stat.S_IWOTH
    if name.suffix == "key":
        forbidden |= stat.S_IRGRP | stat.S_IROTH
    if mode & forbidden:
        raise KeyExposed(f"The key file {name} is open to others than its owner; use mode 0400.")


def _check(name: KeyName, key: bytes) -> str:
    return hashlib.sha256(b"vestka/keyfile/v1|%s|" % str(name).encode() + key).hexdigest()[:8]
