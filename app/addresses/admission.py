"""The mark of a row that the sender itself let in.

Sealing needs only a public key, so whoever can write the database could plant addresses. The mark
is checked before every letter. It leaves out the language: a reader may change that alone.
"""

import hashlib

from app.addresses.hashing import HashKeys

_PREFIX = b"vestka/admit/v1|"
_ROW_ID_LENGTH = 16
_LINK_ID_LENGTH = 8


class AdmitKeys(HashKeys):
    """The keys of the admission mark."""

    __slots__ = ()


def admit_mac(keys: AdmitKeys, row_id: bytes, link_id: bytes, sealed: bytes) -> bytes:
    """Return the mark (33 bytes) of a row: its id (16 bytes), link id (8) and sealed address."""
    if not _fits(row_id, link_id):
        raise ValueError("a row id has 16 bytes and a link id 8")
    return keys.newest(_message(row_id, link_id, sealed))


def is_admitted(keys: AdmitKeys, row_id: bytes, link_id: bytes, sealed: bytes, mark: bytes) -> bool:
    """Tell, in constant time, whether `mark` is the one `admit_mac` gave this very row."""
    return _fits(row_id, link_id) and keys.made(mark, _message(row_id, link_id, sealed))


def _fits(row_id: bytes, link_id: bytes) -> bool:
    return len(row_id) == _ROW_ID_LENGTH and len(link_id) == _LINK_ID_LENGTH


def _message(row_id: bytes, link_id: bytes, sealed: bytes) -> bytes:
    return _PREFIX + row_id + link_id + hashlib.sha256(sealed).digest()
