"""The mark of a row that the sender itself let in.

Sealing needs only a public key, so whoever can write the database could plant addresses. The mark
binds all that says whom a row is about, and is checked before every message. It leaves out the
language: a reader may change that alone.
"""

import hashlib
from typing import NamedTuple

from app.addresses.address import EmailAddress
from app.addresses.hashing import HashKeys
from app.addresses.unsealing import OpeningKeys, open_sealed
from app.errors import DomainError

_PREFIX = b"vestka/admit/v2|"
_ROW_ID_LENGTH = 16
_LINK_ID_LENGTH = 8
_INDEX_LENGTH = 33


class NotAdmitted(DomainError):
    """The sender did not let this row in as it stands."""


class AdmitKeys(HashKeys):
    """The keys of the admission mark."""

    __slots__ = ()


class AdmittedRow(NamedTuple):
    """A subscriber's row, as far as it says whom it is about, and the mark that it carries."""

    row_id: bytes
    link_id: bytes
    blind_index: bytes
    sealed: bytes
    mark: bytes


def admit_mac(keys: AdmitKeys, row_id: bytes, link_id: bytes, index: bytes, sealed: bytes) -> bytes:
    """Return the mark (33 bytes) of a row.

    It binds the row's id (16 bytes), link id (8), blind index (33) and sealed address.
    """
    if not _fits(row_id, link_id, index):
        raise ValueError("a row id has 16 bytes, a link id 8 and a blind index 33")
    return keys.newest(_message(row_id, link_id, index, sealed))


def is_admitted(keys: AdmitKeys, row: AdmittedRow) -> bool:
    """Tell, in constant time, whether the mark is the one `admit_mac` gave this very row."""
    facts = row[:4]
    return _fits(*facts[:3]) and keys.made(row.mark, _message(*facts))


def open_admitted(keys: AdmitKeys, opening: OpeningKeys, row: AdmittedRow) -> EmailAddress:
    """Open the address of a row that the sender let in: the one way to whom we write to.

    Raises NotAdmitted, or SealBroken.
    """
    if not is_admitted(keys, row):
        raise NotAdmitted
    return open_sealed(opening, row.row_id, row.sealed)


def _fits(row_id: bytes, link_id: bytes, index: bytes) -> bool:
    lengths = (len(row_id), len(link_id), len(index))
    return lengths == (_ROW_ID_LENGTH, _LINK_ID_LENGTH, _INDEX_LENGTH)


def _message(row_id: bytes, link_id: bytes, index: bytes, sealed: bytes) -> bytes:
    return _PREFIX + row_id + link_id + index + hashlib.sha256(sealed).digest()
