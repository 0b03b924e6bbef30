"""Sealing an address so that only the holder of a private key can read it.

HPKE (RFC 9180, base mode). Every blob has one length, whatever the address, and opens only for the
purpose, key and row it was sealed for. Base mode does not say who sealed it: that is `admission`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from app.addresses.address import AddressRefused, EmailAddress
from app.errors import DomainError

Purpose = Literal["hot", "list"]
"""`hot` seals a sign-up, which lives for hours; `list` seals the address of a subscriber."""

SEALED_LENGTH = 306
"""suite(1) kid(1) encapsulated key(32) ciphertext of the padded address(256) tag(16)."""

_PREFIX = b"vestka/address/v1|"
_SUITE_ID = 1
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_PADDED_LENGTH = 256
_PADDING_VERSION = 1
_ROW_ID_LENGTH = 16


class SealBroken(DomainError):
    """A sealed address does not open: it was changed, moved, or its key is not here."""


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A public key: it can seal, and never open."""

    purpose: Purpose
    kid: int
    public: X25519PublicKey


@dataclass(frozen=True, slots=True, repr=False)
class OpeningKeys:
    """The private keys of one purpose, by key id, so that old blobs open after a rotation."""

    purpose: Purpose
    private: Mapping[int, X25519PrivateKey]


def seal(key: SealingKey, row_id: bytes, address: EmailAddress) -> bytes:
    """Seal `address` for the row `row_id` (16 bytes); 306 bytes, different each time."""
    if len(row_id) != _ROW_ID_LENGTH:
        raise ValueError("a row id has 16 bytes")
    head = bytes((_SUITE_ID, key.kid))
    info = _info(head, key.purpose, row_id)
    return head + _SUITE.encrypt(_pad(address.wire), key.public, info=info)


def open_sealed(keys: OpeningKeys, row_id: bytes, blob: bytes) -> EmailAddress:
    """Open what `seal` made for this purpose and row.

    Raises `SealBroken` for everything else: another row, purpose or key, a changed or cut blob.
    """
    key = keys.private.get(blob[1]) if len(blob) == SEALED_LENGTH else None
    if key is None or blob[0] != _SUITE_ID or len(row_id) != _ROW_ID_LENGTH:
        raise SealBroken
    try:
        padded = _SUITE.decrypt(blob[2:], key, info=_info(blob[:2], keys.purpose, row_id))
        return EmailAddress(_unpad(padded))
    except (InvalidTag, ValueError, AddressRefused):
        # Whoever may write the database can also seal what is no address: hence the last of these.
        raise SealBroken from None


def _info(head: bytes, purpose: Purpose, row_id: bytes) -> bytes:
    """Bind the blob to its place; HPKE carries no separate associated data (RFC 9180 §8.1)."""
    return _PREFIX + head + b"|" + purpose.encode("ascii") + b"|" + row_id


def _pad(wire: str) -> bytes:
    """version(1) length(1) address zeros, so that a blob does not tell the address's length."""
    text = wire.encode("ascii")
    return (bytes((_PADDING_VERSION, len(text))) + text).ljust(_PADDED_LENGTH, b"\0")


def _unpad(padded: bytes) -> str:
    """Undo `_pad`; raises ValueError unless the padding is exactly what it makes."""
    version, length = padded[0], padded[1]
    text, rest = padded[2 : 2 + length], padded[2 + length :]
    if version != _PADDING_VERSION or len(text) != length or rest.strip(b"\0"):
        raise ValueError("padding")
    return text.decode("ascii")
