"""The DKIM keys' files, beside the other keys: `dkim.SELECTOR.pem`, readable by the owner alone."""

import os
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from app.errors import DomainError
from app.mail.dkim.signature import DkimKey

RSA = "rsa"
ED25519 = "ed25519"
_SMALLEST = 1024  # bits; RFC 8301 §3.2 lets nobody verify less
_BITS = 2048
_NAME = re.compile(r"dkim\.([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.pem")


class DkimKeyUnusable(DomainError):
    """A DKIM key's file cannot be read as an RSA or Ed25519 key, or is open to others."""


class SelectorTaken(DomainError):
    """There is already a DKIM key of this selector."""


class SelectorUnfit(DomainError):
    """A selector has 1 to 63 lower-case letters, digits and hyphens."""


def create_dkim_key(keys_dir: Path, selector: str, kind: str, domain: str) -> DkimKey:
    """Make a key and its file (mode 0400). Raises SelectorUnfit or SelectorTaken."""
    path = keys_dir / f"dkim.{selector}.pem"
    if not _NAME.fullmatch(path.name):
        raise SelectorUnfit(field="selector")
    private: RSAPrivateKey | Ed25519PrivateKey = (
        Ed25519PrivateKey.generate()
        if kind == ED25519
        else generate_private_key(public_exponent=65537, key_size=_BITS)
    )
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o400)
    except FileExistsError:
        raise SelectorTaken(field="selector") from None
    with os.fdopen(file, "wb") as handle:
        handle.write(pem)
    return DkimKey(domain, selector, private)


def load_dkim_keys(keys_dir: Path, domain: str) -> list[DkimKey]:
    """Read every DKIM key, RSA first: that is the one all mailboxes verify.

    Raises DkimKeyUnusable, which names the file.
    """
    keys = [
        DkimKey(domain, match[1], _private(path))
        for path in sorted(keys_dir.glob("dkim.*.pem"))
        if (match := _NAME.fullmatch(path.name))
    ]
    return sorted(keys, key=lambda key: key.algorithm, reverse=True)


def _private(path: Path) -> RSAPrivateKey | Ed25519PrivateKey:
    unusable = DkimKeyUnusable(f"{path.name} is no RSA or Ed25519 key, or is open to others")
    try:
        if path.stat().st_mode & 0o077:
            raise unusable
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        raise unusable from None
    if isinstance(private, Ed25519PrivateKey):
        return private
    if isinstance(private, RSAPrivateKey) and private.key_size >= _SMALLEST:
        return private
    raise unusable
