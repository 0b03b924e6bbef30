"""All keys: what the sender alone holds. It can open, index and admit; `public_keys` only seals."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.addresses.admission import AdmitKeys
from app.addresses.blind_index import IndexKeys, NeverKeys
from app.addresses.public_keys import PublicKeys, subkey
from app.addresses.sealing import SealingKey
from app.addresses.unsealing import OpeningKeys
from app.errors import DomainError
from app.keys.key_files import read_key
from app.keys.key_format import KeyDamaged, KeyMissing, KeyName, key_names


class KeysInsideData(DomainError):
    """The keys directory lies inside the data directory; a copy of the data would hold the keys."""


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
        admits = {kid: subkey(mac, "admit") for kid, mac in macs.items()}
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
            message_ids=subkey(links[max(links)], "message id"),
            sent_notes=subkey(links[max(links)], "sent notes"),
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
        return subkey(self.macs[kid if kid in self.macs else self.admit.kid], label)


def check_apart(keys_dir: Path, data_dir: Path) -> None:
    """Refuse keys in the data directory, also by way of a symbolic link."""
    if keys_dir.resolve().is_relative_to(data_dir.resolve()):
        raise KeysInsideData


def _in_use(keys: Mapping[int, bytes], generation: int) -> int:
    """Return the newest that is not newer than the generation in use."""
    return max((kid for kid in keys if kid <= generation), default=min(keys))


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
