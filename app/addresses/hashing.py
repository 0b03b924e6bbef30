"""Keyed hashes with the id of their key in front, so that keys can be rotated.

kid(1) followed by HMAC-SHA256(32). The newest key makes; all keys check.
"""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

TAG_LENGTH = 33


@dataclass(frozen=True, slots=True, repr=False)
class HashKeys:
    """The secret keys of one purpose, 32 bytes each, by key id."""

    by_kid: Mapping[int, bytes]

    def newest(self, message: bytes) -> bytes:
        """Return the tag of `message` under the newest key."""
        return self._tag(max(self.by_kid), message)

    def every(self, message: bytes) -> Iterator[bytes]:
        """Yield the tags of `message` under all keys, newest first."""
        return (self._tag(kid, message) for kid in sorted(self.by_kid, reverse=True))

    def made(self, tag: bytes, message: bytes) -> bool:
        """Tell whether `tag` is this message's under any key; the time taken tells nothing."""
        if len(tag) != TAG_LENGTH or tag[0] not in self.by_kid:
            return False
        return hmac.compare_digest(self._tag(tag[0], message), tag)

    def _tag(self, kid: int, message: bytes) -> bytes:
        return bytes((kid,)) + hmac.digest(self.by_kid[kid], message, "sha256")
