"""The blind index: how the sender, and nobody else, tells whether an address is known.

Without the key it is noise; with it and a list of guesses it is the list. So the key never comes
near the process that faces the internet.
"""

from app.addresses.address import EmailAddress
from app.addresses.hashing import HashKeys

_PREFIX = b"vestka/index/v1|"


class IndexKeys(HashKeys):
    """The keys of the blind index."""

    __slots__ = ()


def blind_index(keys: IndexKeys, address: EmailAddress) -> bytes:
    """Return the index to store for `address`: 33 bytes, the same for each of its spellings."""
    return keys.newest(_message(address))


def known_indexes(keys: IndexKeys, address: EmailAddress) -> tuple[bytes, ...]:
    """Return every index that `address` may be stored under, newest key first."""
    return tuple(keys.every(_message(address)))


def _message(address: EmailAddress) -> bytes:
    return _PREFIX + address.canonical.encode("ascii")
