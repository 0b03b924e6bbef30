"""Opening sealed addresses: the sender's alone. The public process imports none of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.addresses.address import AddressRefused, EmailAddress
from app.addresses.sealing import (
    PADDING_VERSION,
    ROW_ID_LENGTH,
    SEALED_LENGTH,
    SUITE,
    SUITE_ID,
    Purpose,
    bound_to,
)
from app.addresses.test_seal import bound_to_test
from app.errors import DomainError


class SealBroken(DomainError):
    """A sealed address does not open: it was changed, moved, or its key is not here."""


@dataclass(frozen=True, slots=True, repr=False)
class OpeningKeys:
    """The private keys of one purpose, by key id, so that old blobs open after a rotation."""

    purpose: Purpose
    private: Mapping[int, X25519PrivateKey]


def open_sealed(keys: OpeningKeys, row_id: bytes, blob: bytes) -> EmailAddress:
    """Open what `seal` made for this purpose and row.

    Raises `SealBroken` for everything else: another row, purpose or key, a changed or cut blob.
    """
    key = keys.private.get(blob[1]) if len(blob) == SEALED_LENGTH else None
    if key is None or blob[0] != SUITE_ID or len(row_id) != ROW_ID_LENGTH:
        raise SealBroken
    try:
        padded = SUITE.decrypt(blob[2:], key, info=bound_to(blob[:2], keys.purpose, row_id))
        return EmailAddress(_unpad(padded))
    except (InvalidTag, ValueError, AddressRefused):
        # Whoever may write the database can also seal what is no address: hence the last of these.
        raise SealBroken from None


def open_test_address(keys: OpeningKeys, test_id: bytes, blob: bytes) -> EmailAddress:
    """Open a test message's. Raises SealBroken for whatever was not sealed for this one."""
    return open_sealed(keys, bound_to_test(test_id), blob)


def _unpad(padded: bytes) -> str:
    """Undo `_pad`; raises ValueError unless the padding is exactly what it makes."""
    version, length = padded[0], padded[1]
    text, rest = padded[2 : 2 + length], padded[2 + length :]
    if version != PADDING_VERSION or len(text) != length or rest.strip(b"\0"):
        raise ValueError("padding")
    return text.decode("ascii")
