"""Files for one reader elsewhere, encrypted to an age recipient (age-encryption.org/v1).

The only importer of pyrage. A recipient is public; the identity that opens stays where it was made.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

import pyrage

from app.errors import DomainError


class RecipientWrong(DomainError):
    """A recipient is the public key that `age-keygen` prints: age1 and 58 more characters."""


class RecipientSecret(RecipientWrong):
    """This is a secret identity, not a recipient: it must stay where it was made."""


class IdentityWrong(DomainError):
    """The identity file holds no secret key as `age-keygen` makes them."""


class NotForUs(DomainError):
    """The file was not encrypted to this identity, or is damaged."""


class Recipients:
    """Whom a file is for; each can open it alone."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Read recipients. Raises RecipientWrong, and repeats nothing of them."""
        self._parsed = [_recipient(text.strip()) for text in texts]
        if not self._parsed:
            raise RecipientWrong

    def encrypt(self, chunks: Iterable[bytes], out: BinaryIO) -> None:
        """Write the chunks encrypted; a chunk at a time is in memory, and none on the disk."""
        source = _Source(iter(chunks))
        try:
            pyrage.encrypt_io(source, out, self._parsed)
        except pyrage.EncryptError:
            if source.failed is not None:  # what our own code raised, pyrage only repeats
                raise source.failed from None
            raise


def _recipient(text: str) -> object:
    if text.upper().startswith("AGE-SECRET-KEY-"):
        raise RecipientSecret
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise RecipientWrong from None


class _Source:
    """An iterator of chunks as a file to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""
        self.failed: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            while not self._rest:
                self._rest = next(self._chunks)
        except StopIteration:
            return b""
        except Exception as failed:
            self.failed = failed
            raise
        size = len(self._rest) if size < 0 else size
        part, self._rest = self._rest[:size], self._rest[size:]
        return part


def decrypt(content: bytes, identities: str) -> bytes:
    """Open a file with the secret keys in the text of an identity file.

    Raises IdentityWrong or NotForUs.
    """
    lines = [line.strip() for line in identities.splitlines()]
    secrets = [line for line in lines if line and not line.startswith("#")]
    try:
        parsed = [pyrage.x25519.Identity.from_str(secret) for secret in secrets]
    except pyrage.IdentityError:
        raise IdentityWrong from None
    if not parsed:
        raise IdentityWrong
    try:
        opened: bytes = pyrage.decrypt(content, parsed)
    except pyrage.DecryptError:
        raise NotForUs from None
    return opened
