"""Sealing the address of a test message, so that only a sender can read it.

It is sealed with the inbox's public key, but bound to its purpose: whoever can write the database
cannot make a test message out of a sign-up's seal, nor a sign-up out of a test message's.
"""

import hashlib

from app.addresses.address import EmailAddress
from app.addresses.sealing import OpeningKeys, SealingKey, open_sealed, seal

_PURPOSE = b"vestka/test message/v1|"
_ROW_ID_LENGTH = 16


def seal_test_address(key: SealingKey, test_id: bytes, address: EmailAddress) -> bytes:
    """Seal the address for the test message `test_id`; 306 bytes."""
    return seal(key, _bound(test_id), address)


def open_test_address(keys: OpeningKeys, test_id: bytes, blob: bytes) -> EmailAddress:
    """Open it. Raises SealBroken for whatever was not sealed for this test message."""
    return open_sealed(keys, _bound(test_id), blob)


def _bound(test_id: bytes) -> bytes:
    return hashlib.sha256(_PURPOSE + test_id).digest()[:_ROW_ID_LENGTH]
