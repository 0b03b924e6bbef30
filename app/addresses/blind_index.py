"""The blind index: how the sender, and nobody else, tells whether an address is known.

Without the key it is noise; with it and a list of guesses it is the list. So the key never comes
near the process that faces the internet. Of those never to be written to again nothing else is
kept, so nothing could be indexed anew: theirs is a key of its own, which no rotation replaces.
"""

from app.addresses.address import EmailAddress
from app.addresses.hashing import HashKeys

_PREFIX = b"vestka/index/v1|"
_NEVER_PREFIX = b"vestka/never/v1|"


class IndexKeys(HashKeys):
    """The keys of the blind index of subscribers."""

    __slots__ = ()


class NeverKeys(HashKeys):
    """The keys of the blind index of those who must never be written to again."""

    __slots__ = ()


def blind_index(keys: IndexKeys, address: EmailAddress) -> bytes:
    """Return the index to store for `address`: 33 bytes, the same for each of its spellings."""
    return keys.newest(_message(address))


def known_indexes(keys: IndexKeys, address: EmailAddress) -> tuple[bytes, ...]:
    """Return every index that `address` may be stored under, newest key first."""
    return tuple(keys.every(_message(address)))


def never_index(keys: NeverKeys, address: EmailAddress) -> bytes:
    """Return what a suppression of `address` is stored under: 33 bytes, for all its spellings."""
    return keys.newest(_NEVER_PREFIX + address.canonical.encode("ascii"))


def never_indexes(keys: NeverKeys, address: EmailAddress) -> tuple[bytes, ...]:
    """Return every index that a suppression of `address` may be stored under, newest key first."""
    return tuple(keys.every(_NEVER_PREFIX + address.canonical.encode("ascii")))


def _message(address: EmailAddress) -> bytes:
    return _PREFIX + address.canonical.encode("ascii")
