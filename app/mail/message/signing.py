"""A message with the signatures that were made over its very bytes, and stand before it."""

from dataclasses import dataclass

from app.mail.message.message_template import Filled


@dataclass(frozen=True, slots=True)
class Signed:
    """A message with its signatures before it, not yet written."""

    signatures: bytes
    filled: Filled

    def __bytes__(self) -> bytes:
        """Write it."""
        return self.signatures + bytes(self.filled)

    def on_the_wire(self, following: bytes = b"") -> bytes:
        """Write it with the final dot, and what follows that."""
        return self.signatures + self.filled.on_the_wire(following)

    def __len__(self) -> int:
        """Say how long it is, without writing it."""
        return len(self.signatures) + len(self.filled)
