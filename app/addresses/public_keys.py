"""All the keys that the process facing the internet has: it can seal, and read a link token.

Its host holds no other key, and this module could use none.
"""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.addresses.sealing import Purpose, SealingKey
from app.keys.key_format import refuse_destroyed
from app.keys.public_key_files import public_keys_by_kid
from app.tokens import LinkTokens


@dataclass(frozen=True, slots=True, repr=False)
class PublicKeys:
    """What may stand on a host that faces the internet."""

    hot_sealing: SealingKey
    list_sealing: SealingKey
    links: LinkTokens
    counting: bytes  # hashes who calls, for counting only
    forms: bytes  # signs what our own forms carry

    @classmethod
    def load(cls, keys_dir: Path) -> "PublicKeys":
        """Read the `*.pub` files and the link keys, and nothing else."""
        refuse_destroyed(keys_dir)
        links = public_keys_by_kid(keys_dir, "link", "key")
        newest = max(links)
        return PublicKeys(
            _sealing_key(keys_dir, "hot"),
            _sealing_key(keys_dir, "list"),
            LinkTokens(links, newest),
            subkey(links[newest], "counting"),
            subkey(links[newest], "forms"),
        )

    def public(self) -> "PublicKeys":
        """Return the public part alone."""
        return PublicKeys(
            self.hot_sealing, self.list_sealing, self.links, self.counting, self.forms
        )


def _sealing_key(keys_dir: Path, purpose: Purpose) -> SealingKey:
    halves = public_keys_by_kid(keys_dir, purpose, "pub")
    newest = max(halves)
    return SealingKey(purpose, newest, X25519PublicKey.from_public_bytes(halves[newest]))


def subkey(key: bytes, label: str) -> bytes:
    """HKDF-SHA256 (RFC 5869), so that one key serves one purpose."""
    info = b"vestka/secret/v1|" + label.encode("ascii")
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key)
