"""Keyed hashes with the id of their key in front, so that keys can be rotated.

kid(1) followed by HMAC-SHA256(32). The key in use makes; all keys check.
"""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

TAG_LENGTH = 33


@dataclass(frozen=True, slots=True, repr=False)
class HashKeys:
    """The secret keys of one purpose, 32 bytes each, by key id."""

    by_kid: Mapping[int, bytes]
    in_use: int = 0
    """The key that makes tags; 0 for the newest."""

    @property
    def kid(self) -> int:
        """The id of the key that makes tags."""
        return self.in_use or max(self.by_kid)

    def newest(self, message: bytes) -> bytes:
        """Return the tag of `message` under the key in use."""
        return self._tag(self.kid, message)

    def every(self, message: bytes) -> Iterator[bytes]:
        """Yield the tags of `message` under all keys: the one in use first, then newest first."""
        others = sorted(self.by_kid.keys() - {self.kid}, reverse=True)
        return (self._tag(kid, message) for kid in (self.kid, *others))

    def made(self, tag: bytes, message: bytes) -> bool:
        """Tell whether `tag` is this message's under any key; the time taken tells nothing."""
        if len(tag) != TAG_LENGTH or tag[0] not in self.by_kid:
            return False
        return hmac.compare_digest(self._tag(tag[0], message), tag)

    def _tag(self, kid: int, message: bytes) -> bytes:
        return bytes((kid,)) + hmac.digest(self.by_kid[kid], message, "sha256")
