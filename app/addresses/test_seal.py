"""Sealing the address of a test message, so that only a sender can read it (`unsealing`).

It is sealed with the inbox's public key, but bound to its purpose: whoever can write the database
cannot make a test message out of a sign-up's seal, nor a sign-up out of a test message's.
"""

import hashlib

from app.addresses.address import EmailAddress
from app.addresses.sealing import SealingKey, seal

_PURPOSE = b"vestka/test message/v1|"
_ROW_ID_LENGTH = 16


def seal_test_address(key: SealingKey, test_id: bytes, address: EmailAddress) -> bytes:
    """Seal the address for the test message `test_id`; 306 bytes."""
    return seal(key, bound_to_test(test_id), address)


def bound_to_test(test_id: bytes) -> bytes:
    """Return what stands in the place of a row's id: 16 bytes that no row has."""
    return hashlib.sha256(_PURPOSE + test_id).digest()[:_ROW_ID_LENGTH]
