"""A relay's limits at the wire: two engines at once, and never more than it wants."""

import asyncio
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from app.addresses.keyring import Keyring
from app.clock import SystemClock
from app.database import Database
from app.deliveries.compose.composing import Composer
from app.deliveries.compose.message_headers import SenderIdentity
from app.deliveries.compose.personalisation import Domains, Personaliser
from app.deliveries.compose.worker_pool import WorkerPool
from app.deliveries.dispatch.attempt_journal import AttemptJournal
from app.deliveries.dispatch.engine import Engine
from app.deliveries.dispatch.exchange import LedgerClient
from app.deliveries.dispatch.relay_health import RelayState
from app.deliveries.dispatch.relay_rate_limit import Permits
from app.demo.smtpd import Inbox, Receiver, Session
from app.mail.relay import Relay
from app.settings import Mailbox
from tests.deliveries.rows import a_mailing, a_sender, states
from tests.support.builders import NEWSLETTER, PUBLIC_URL

POST = SenderIdentity(
    Mailbox("", "news@example.org"), "example.org", "example.org", PUBLIC_URL, NEWSLETTER
)
DOMAINS = Domains("news@example.org", "example.org", "example.org")


class Watched(Receiver):
    """A relay that notes when messages come, and over how many connections at once."""

    def __init__(self) -> None:
        self.came: list[float] = []
        self.open = self.most_open = self.opened = 0
        super().__init__(Inbox(), self.session)

    def session(
        self, inbox: Inbox, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Session:
        watched = self

        class Noting(Session):
            async def run(self) -> None:
                watched.open += 1
                watched.opened += 1
                watched.most_open = max(watched.most_open, watched.open)
                try:
                    await super().run()
                finally:
                    watched.open -= 1

            async def take(self, raw: bytes) -> str:
                watched.came.append(time.monotonic())
                return await super().take(raw)

        return Noting(inbox, reader, writer)


class Senders:
    """Engines in one loop, on one database."""

    def __init__(self, database: Database, keyring: Keyring, folder: Path) -> None:
        self.database = database
        self.keyring = keyring
        self.folder = folder

    def _engine(self, name: str, url: str) -> Engine:
        with self.database.transaction() as session:
            sender_id = a_sender(session, name, now=SystemClock().now())
        folder = self.folder / name
        folder.mkdir()
        ledger = LedgerClient(self.database, sender_id, Composer(POST, self.keyring), SystemClock())
        return Engine(
            ledger,
            WorkerPool(Personaliser(self.keyring, DOMAINS)),
            [RelayState(Relay.parse(url))],
            AttemptJournal(folder, sender_id),
            SystemClock(),
            hostname="example.org",
            connections=4,
        )

    def send(self, readers: int, limits: str, patience: float = 60) -> Watched:
        """Send a mailing with two senders at once, to its end; return the relay."""
        with self.database.transaction() as session:
            a_mailing(session, self.keyring, readers, now=SystemClock().now())
        return asyncio.run(self._send(limits, patience))

    async def _send(self, limits: str, patience: float) -> Watched:
        relay, stop = Watched(), asyncio.Event()
        url = f"smtp+insecure://127.0.0.1:{await relay.start()}?{limits}"
        engines = [self._engine(name, url) for name in ("one", "two")]
        running = [asyncio.create_task(engine.run(stop)) for engine in engines]
        try:
            async with asyncio.timeout(patience):
                while not await asyncio.to_thread(self._all_sent):
                    await asyncio.wait(running, timeout=0.05)
        finally:
            stop.set()
            await asyncio.gather(*running)
            await relay.stop()
        return relay

    def _all_sent(self) -> bool:
        with self.database.reading() as session:
            return states(session).keys() == {"sent"}


@pytest.fixture
def senders(database: Database, keyring: Keyring, tmp_path: Path) -> Senders:
    return Senders(database, keyring, tmp_path)


def most_in_a_second(came: list[float]) -> int:
    return max(sum(start <= each < start + 1 for each in came) for start in came)


def test_two_senders_keep_one_limit_of_messages(
    senders: Senders, monkeypatch: pytest.MonkeyPatch
) -> None:
    went: list[float] = []
    use = Permits.use

    def noting(permits: Permits, now: datetime) -> bool:
        used = use(permits, now)
        if used:
            went.append(time.monotonic())
        return used

    monkeypatch.setattr(Permits, "use", noting)
    relay = senders.send(100, "per_second=25")
    assert Counter(message.recipients for message in relay.inbox.messages).most_common(1)[0][1] == 1
    assert len(relay.came) == 100
    assert most_in_a_second(went) <= 25
    # Senders and relay share one loop here: when it stalls, messages arrive together.
    assert most_in_a_second(relay.came) <= 30
    assert relay.came[-1] - relay.came[0] >= 3, "a limit of 25 a second spreads 100 messages so far"


def test_two_senders_share_the_connections(senders: Senders) -> None:
    relay = senders.send(200, "connections=3&per_connection=20")
    assert len(relay.came) == 200
    assert relay.most_open <= 3
    assert relay.opened >= 10, "no connection carries more than 20"


def test_messages_of_an_hour_wait_for_the_next(senders: Senders) -> None:
    with pytest.raises(TimeoutError):
        senders.send(30, "per_hour=20", patience=4)
    with senders.database.reading() as session:
        assert states(session)["sent"] == 20
