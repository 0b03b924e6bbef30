"""Who holds which keys, as types.

`PublicKeys` is all that the process facing the internet has: it can seal an address and read a link
token, and its host holds no other key. `Keyring` is the sender's: it can also open, index, admit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.addresses.admission import AdmitKeys
from app.addresses.blind_index import IndexKeys, NeverKeys
from app.addresses.sealing import OpeningKeys, Purpose, SealingKey
from app.errors import DomainError
from app.keys.key_files import (
    KeyDamaged,
    KeyMissing,
    KeyName,
    key_names,
    read_key,
    refuse_destroyed,
)
from app.tokens import LinkTokens


class KeysInsideData(DomainError):
    """The keys directory lies inside the data directory; a copy of the data would hold the keys."""


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
        links = _secrets(keys_dir, "link")
        newest = max(links)
        return PublicKeys(
            _sealing_key(keys_dir, "hot"),
            _sealing_key(keys_dir, "list"),
            LinkTokens(links, newest),
            _subkey(links[newest], "counting"),
            _subkey(links[newest], "forms"),
        )

    def public(self) -> "PublicKeys":
        """Return the public part alone."""
        return PublicKeys(
            self.hot_sealing, self.list_sealing, self.links, self.counting, self.forms
        )


@dataclass(frozen=True, slots=True, repr=False)
class Keyring(PublicKeys):
    """All keys: the sender's alone."""

    hot_opening: OpeningKeys
    list_opening: OpeningKeys
    index: IndexKeys
    never: NeverKeys
    admit: AdmitKeys
    macs: Mapping[int, bytes]
    message_ids: bytes  # of the link key, so that no rotation changes a message's
    sent_notes: bytes  # of the link key, too

    @classmethod
    def load(cls, keys_dir: Path) -> "Keyring":
        """Read every key file; refuse a set with a missing, damaged, exposed or foreign one."""
        public = PublicKeys.load(keys_dir)
        # Whatever is made, is made with the keys of one generation: the one that seals the list.
        generation = public.list_sealing.kid
        macs, indexes = _secrets(keys_dir, "mac"), _secrets(keys_dir, "index")
        admits = {kid: _subkey(mac, "admit") for kid, mac in macs.items()}
        links = _secrets(keys_dir, "link")
        return Keyring(
            public.hot_sealing,
            public.list_sealing,
            public.links,
            public.counting,
            public.forms,
            hot_opening=_opening_keys(keys_dir, public.hot_sealing),
            list_opening=_opening_keys(keys_dir, public.list_sealing),
            index=IndexKeys(indexes, _in_use(indexes, generation)),
            never=NeverKeys(_secrets(keys_dir, "never")),
            admit=AdmitKeys(admits, _in_use(admits, generation)),
            macs=macs,
            message_ids=_subkey(links[max(links)], "message id"),
            sent_notes=_subkey(links[max(links)], "sent notes"),
        )

    @property
    def generation(self) -> int:
        """Which generation of keys is in use."""
        return self.list_sealing.kid

    @property
    def knows(self) -> int:
        """The newest generation of which every key is here, in use or not."""
        opening = (self.hot_opening.private, self.list_opening.private)
        return min(max(each) for each in (*opening, self.index.by_kid, self.macs))

    def secret(self, label: str, kid: int = 0) -> bytes:
        """Return a key of its own (32 bytes) for one use, such as `confirm`.

        Derived from the MAC key `kid` if it is here, else from the one in use: it stays the same
        until that is rotated.
        """
        return _subkey(self.macs[kid if kid in self.macs else self.admit.kid], label)


def check_apart(keys_dir: Path, data_dir: Path) -> None:
    """Refuse keys in the data directory, also by way of a symbolic link."""
    if keys_dir.resolve().is_relative_to(data_dir.resolve()):
        raise KeysInsideData


def _in_use(keys: Mapping[int, bytes], generation: int) -> int:
    """Return the newest that is not newer than the generation in use."""
    return max((kid for kid in keys if kid <= generation), default=min(keys))


def _sealing_key(keys_dir: Path, purpose: Purpose) -> SealingKey:
    halves = _by_kid(keys_dir, purpose, "pub")
    newest = max(halves)
    return SealingKey(purpose, newest, X25519PublicKey.from_public_bytes(halves[newest]))


def _opening_keys(keys_dir: Path, sealing: SealingKey) -> OpeningKeys:
    """Read the private keys, and see that the one in use opens what the public key seals."""
    private = {
        kid: X25519PrivateKey.from_private_bytes(key)
        for kid, key in _secrets(keys_dir, sealing.purpose).items()
    }
    name = KeyName(sealing.purpose, sealing.kid, "key")
    if sealing.kid not in private:
        raise KeyMissing(f"The key file {name} is missing.")
    if private[sealing.kid].public_key() != sealing.public:
        raise KeyDamaged(f"The key file {name} does not belong to its .pub file.")
    return OpeningKeys(sealing.purpose, private)


def _secrets(keys_dir: Path, purpose: str) -> dict[int, bytes]:
    return _by_kid(keys_dir, purpose, "key")


def _by_kid(keys_dir: Path, purpose: str, suffix: str) -> dict[int, bytes]:
    names = [name for name in key_names(keys_dir) if name.kind == (purpose, suffix)]
    if not names:
        raise KeyMissing(f"The keys directory has no file {purpose}.1.{suffix}.")
    return {name.kid: read_key(keys_dir, name) for name in names}


def _subkey(key: bytes, label: str) -> bytes:
    """HKDF-SHA256 (RFC 5869), so that one key serves one purpose."""
    info = b"vestka/secret/v1|" + label.encode("ascii")
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key)
