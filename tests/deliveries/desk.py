"""A sender's desk: claims, looks, opens and reports as the engine does, without a relay."""

from dataclasses import dataclass, field

from app.addresses.keyring import Keyring
from app.database import Database
from app.deliveries.compose.composing import Composer, Outgoing, outgoing
from app.deliveries.compose.message_headers import SenderIdentity
from app.deliveries.compose.personalisation import Domains, PersonalisationFailed, Personaliser
from app.deliveries.dispatch.exchange import LedgerClient, Report, Turned
from app.deliveries.ledger.due import Claim
from app.settings import Mailbox
from tests.deliveries.rows import a_sender
from tests.support.builders import NEWSLETTER, PUBLIC_URL
from tests.support.clock import SetClock

POST = SenderIdentity(
    Mailbox("", "news@example.org"), "lists.example.org", "back.example.org", PUBLIC_URL, NEWSLETTER
)
DOMAINS = Domains("news@example.org", "lists.example.org", "back.example.org")


@dataclass
class Desk:
    """One sender. `allowed` are the addresses that may be written to; None: all."""

    database: Database
    keyring: Keyring
    allowed: frozenset[str] | None = None
    alerts_to: Mailbox | None = None
    clock: SetClock = field(default_factory=SetClock)

    def __post_init__(self) -> None:
        with self.database.transaction() as session:
            self.sender_id = a_sender(session)
        composer = Composer(POST, self.keyring, self.alerts_to)
        self.ledger = LedgerClient(self.database, self.sender_id, composer, self.clock)
        self.opener = Personaliser(self.keyring, DOMAINS, self.allowed)

    def claim(self, limit: int = 99) -> list[Outgoing]:
        """Claim messages; return those that may go, and report the others."""
        return self.open(self.ledger.turn(Report(), [], limit))

    def open(self, turned: Turned) -> list[Outgoing]:
        batch = turned.batch
        messages: list[Outgoing] = []
        failed: list[tuple[Claim, PersonalisationFailed]] = []
        made = self.opener.open(batch, self.clock.now())
        for claim, one, each in zip(turned.claims, batch.unopened, made, strict=True):
            if isinstance(each, PersonalisationFailed):
                failed.append((claim, each))
            else:
                messages.append(outgoing(batch, one, each, claim, turned.checked_at))
        failed += self.ledger.suppressed(messages)
        self.ledger.turn(Report(failed=failed), [], 0)
        left_out = {claim.delivery_id for claim, _ in failed}
        return [message for message in messages if message.claim.delivery_id not in left_out]
