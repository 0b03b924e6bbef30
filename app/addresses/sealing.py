"""Sealing an address so that only the holder of a private key can read it.

HPKE (RFC 9180, base mode). Every blob has one length, whatever the address, and opens only for the
purpose, key and row it was sealed for. Base mode does not say who sealed it: that is `admission`.
"""

from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from app.addresses.address import EmailAddress

Purpose = Literal["hot", "list"]
"""`hot` seals a sign-up, which lives for hours; `list` seals the address of a subscriber."""

SEALED_LENGTH = 306
"""suite(1) kid(1) encapsulated key(32) ciphertext of the padded address(256) tag(16)."""

_PREFIX = b"vestka/address/v1|"
SUITE_ID = 1
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
PADDED_LENGTH = 256
PADDING_VERSION = 1
ROW_ID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A public key: it can seal, and never open."""

    purpose: Purpose
    kid: int
    public: X25519PublicKey


def seal(key: SealingKey, row_id: bytes, address: EmailAddress) -> bytes:
    """Seal `address` for the row `row_id` (16 bytes); 306 bytes, different each time."""
    if len(row_id) != ROW_ID_LENGTH:
        raise ValueError("a row id has 16 bytes")
    head = bytes((SUITE_ID, key.kid))
    info = bound_to(head, key.purpose, row_id)
    return head + SUITE.encrypt(_pad(address.wire), key.public, info=info)


def bound_to(head: bytes, purpose: Purpose, row_id: bytes) -> bytes:
    """Bind the blob to its place; HPKE carries no separate associated data (RFC 9180 §8.1)."""
    return _PREFIX + head + b"|" + purpose.encode("ascii") + b"|" + row_id


def _pad(wire: str) -> bytes:
    """version(1) length(1) address zeros, so that a blob does not tell the address's length."""
    text = wire.encode("ascii")
    return (bytes((PADDING_VERSION, len(text))) + text).ljust(PADDED_LENGTH, b"\0")
