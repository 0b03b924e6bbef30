"""How many messages an address may get that anybody can ask for: who asks need not be its owner.

Confirmations, manage links and "you are already subscribed" share one allowance, counted for the
mailbox behind `+tag` and dots, under a keyed hash that changes with every slot of time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.addresses.address import EmailAddress
from app.addresses.keyring import Keyring
from app.addresses.mailbox_normalisation import folded
from app.database import Transaction
from app.errors import DomainError
from app.rate_limits.counter import take
from app.rate_limits.refusals import ADDRESS, count_refused
from app.settings import Rate

Allow = Callable[[], None]
"""Called just before a message is written down. Raises TooManyMessages."""


class TooManyMessages(DomainError):
    """This address has been written to often enough."""


def always() -> None:
    """Allow it: who asks has proved the mailbox, or is an operator."""


@dataclass(frozen=True)
class AddressRateLimit:
    """The allowance of every address, at one time."""

    session: Transaction
    key: bytes
    rates: Sequence[Rate]
    now: datetime

    @classmethod
    def of(
        cls, session: Transaction, keyring: Keyring, rates: Sequence[Rate], now: datetime
    ) -> "AddressRateLimit":
        """Take the key from the sender's keyring."""
        return cls(session, keyring.secret("messages of an address"), rates, now)

    def towards(self, address: EmailAddress) -> Allow:
        """Return what is to be called before each message to `address`."""
        whom = folded(address).encode("ascii")

        def allow() -> None:
            if take(self.session, self.key, whom, self.rates, now=self.now):
                raise TooManyMessages

        return allow

    def withheld(self, times: int) -> None:
        """Count messages that were not written."""
        if times:
            count_refused(self.session, ADDRESS, today=self.now.date(), times=times)
