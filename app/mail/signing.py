"""Signing many letters: each costs a third of a millisecond, so all cores share the work."""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from app.mail.dkim import DkimKey, signatures
from app.mail.filling import Filled


@dataclass(frozen=True, slots=True)
class Signed:
    """A letter with its signatures before it, not yet written."""

    signatures: bytes
    filled: Filled

    def __bytes__(self) -> bytes:
        """Write it. The signatures were made over these very bytes."""
        return self.signatures + bytes(self.filled)

    def on_the_wire(self, following: bytes = b"") -> bytes:
        """Write it with the final dot, and what follows that."""
        return self.signatures + self.filled.on_the_wire(following)

    def __len__(self) -> int:
        """Say how long it is, without writing it."""
        return len(self.signatures) + len(self.filled)


class Signer:
    """Signs letters with every key it was given; without a key it leaves them as they are."""

    def __init__(self, keys: Sequence[DkimKey]) -> None:
        """Take the keys; threads are started when there is something to sign."""
        self.keys = tuple(keys)
        self._pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="dkim")

    def use(self, keys: Sequence[DkimKey]) -> bool:
        """Sign with these from now on; tell whether they are others than before."""
        before = {(key.selector, key.record) for key in self.keys}
        if before == {(key.selector, key.record) for key in keys}:
            return False
        self.keys = tuple(keys)
        return True

    def sign(self, letters: Iterable[Filled], *, at: int) -> list[Filled | Signed]:
        """Return the letters, signed; `at` is the Unix time. RSA lets the other cores run."""
        keys = self.keys  # they may change while we sign
        if not keys:
            return list(letters)
        return list(self._pool.map(lambda letter: _signed(letter, keys, at), letters))


def _signed(letter: Filled, keys: Sequence[DkimKey], at: int) -> Signed:
    head, body = letter.head_and_body()
    return Signed(signatures(head, body, keys, at=at), letter)
