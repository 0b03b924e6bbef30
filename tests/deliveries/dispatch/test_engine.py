"""The engine with its real parts: whatever goes wrong around it, each reader gets one message."""

import asyncio
import contextlib
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from app.addresses.keyring import Keyring
from app.clock import SystemClock
from app.database import Database, Transaction
from app.deliveries.compose.composing import Composer
from app.deliveries.compose.message_headers import SenderIdentity
from app.deliveries.compose.personalisation import Domains, Personaliser
from app.deliveries.compose.worker_pool import WorkerPool
from app.deliveries.dispatch import connection_worker, engine
from app.deliveries.dispatch.attempt_journal import AttemptJournal
from app.deliveries.dispatch.engine import Engine
from app.deliveries.dispatch.exchange import LedgerClient
from app.deliveries.dispatch.relay_health import RelayState
from app.deliveries.ledger import backoff
from app.deliveries.ledger.enrolment import take_in_service_messages
from app.editions.models import Edition
from app.mail.relay import Relay
from app.mail.replies import RetryClass
from app.mailings.models import Mailing
from app.operators.alerts import recent_alerts
from app.settings import Mailbox
from app.subscribers.service_messages import send_manage_link
from tests.deliveries.rows import a_mailing, a_sender, states
from tests.support.builders import NEWSLETTER, PUBLIC_URL, a_subscriber
from tests.support.smtpd import Misdeed, ScriptedServer, closed_port

POST = SenderIdentity(
    Mailbox("", "news@example.org"), "example.org", "example.org", PUBLIC_URL, NEWSLETTER
)
DOMAINS = Domains("news@example.org", "example.org", "example.org")
CONNECTIONS = 4
PATIENCE = 40.0


class Shaky(Database):
    """A database whose commits fail as `chance` will: half of them are done, and nobody is told."""

    chance = random.Random(0)
    failures = 0

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        fate = self.chance.random() if self.failures > 0 else 1.0
        with super().transaction() as session:
            yield session
            if fate < 0.2:
                self.failures -= 1
                raise OperationalError("COMMIT", {}, Exception("gone before"))
        if fate < 0.4:
            self.failures -= 1
            raise OperationalError("COMMIT", {}, Exception("gone after"))


@dataclass
class Engines:
    """Runs an engine on one database until something is so."""

    database: Database
    keyring: Keyring
    folder: Path

    def run(
        self, until: Callable[[], object], *relays: int, database: Database | None = None
    ) -> None:
        """Run an engine with these relays' ports; fail if it takes too long."""
        asyncio.run(self._run(until, relays, database or self.database))

    async def _run(
        self, until: Callable[[], object], relays: tuple[int, ...], database: Database
    ) -> None:
        with self.database.transaction() as session:
            sender_id = a_sender(session, now=SystemClock().now())
        journal = AttemptJournal(self.folder, sender_id)
        composer = Composer(POST, self.keyring)
        made = Engine(
            LedgerClient(database, sender_id, composer, SystemClock()),
            WorkerPool(Personaliser(self.keyring, DOMAINS)),
            [RelayState(Relay.parse(f"smtp+insecure://127.0.0.1:{port}")) for port in relays],
            journal,
            SystemClock(),
            hostname="example.org",
            connections=CONNECTIONS,
        )
        stop = asyncio.Event()
        running = asyncio.create_task(made.run(stop))
        try:
            async with asyncio.timeout(PATIENCE):
                while not await asyncio.to_thread(until) and not running.done():
                    await asyncio.wait({running}, timeout=0.02)
        finally:
            stop.set()
            await running
            journal.close()

    def add(self, readers: int) -> None:
        """Launch a mailing to so many readers, and enrol them."""
        with self.database.transaction() as session:
            a_mailing(session, self.keyring, readers, now=SystemClock().now())

    def states(self) -> Counter[str]:
        with self.database.reading() as session:
            return states(session)

    def all_are(self, *wanted: str) -> Callable[[], bool]:
        """Whether all messages are in these states."""
        return lambda: self.states().keys() <= set(wanted)


@pytest.fixture
def engines(
    database: Database, keyring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Engines:
    """An engine in a hurry."""
    waits = {pace: (1, 1) for pace in RetryClass if pace is not RetryClass.NONE}
    monkeypatch.setattr(backoff, "WAITS", waits)
    monkeypatch.setattr(backoff, "RESTS", (0.05, 0.1))
    monkeypatch.setattr(engine, "AFTER_TROUBLE", 0.01)
    return Engines(database, keyring, tmp_path)


@pytest.fixture
def relay() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def copies(relay: ScriptedServer) -> Counter[str]:
    return Counter(message.recipients[0] for message in relay.messages)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_commits_that_fail_lose_and_double_nothing(
    seed: int, engines: Engines, relay: ScriptedServer
) -> None:
    engines.add(300)
    relay.on(Misdeed("DOT", delay=0.01))
    shaky = Shaky(engines.database.url.render_as_string(hide_password=False))
    shaky.chance, shaky.failures = random.Random(seed), 40
    engines.run(engines.all_are("sent"), relay.port, database=shaky)
    shaky.close()
    assert shaky.failures < 40
    assert set(copies(relay).values()) == {1}
    assert len(copies(relay)) == 300


def test_a_stop_gives_back_what_was_not_sent(engines: Engines, relay: ScriptedServer) -> None:
    engines.add(100)
    relay.on(Misdeed("DOT", delay=0.02))
    engines.run(lambda: len(relay.messages) >= 20, relay.port)
    found = engines.states()
    assert found.keys() == {"sent", "pending"}
    assert found["sent"] == len(relay.messages) == len(copies(relay))


def test_messages_go_by_the_relay_that_works(engines: Engines, relay: ScriptedServer) -> None:
    engines.add(50)
    engines.run(engines.all_are("sent"), closed_port(), relay.port)
    assert copies(relay).total() == 50


def test_a_relay_that_is_away_holds_no_messages_and_is_told_of(engines: Engines) -> None:
    engines.add(20)

    def told() -> bool:
        with engines.database.reading() as session:
            return any(each.key.startswith("relay-") for each in recent_alerts(session))

    engines.run(told, closed_port())
    assert engines.states() == {"pending": 20}


def test_a_turn_that_breaks_ends_the_engine_and_leaves_no_line_waiting(
    engines: Engines, relay: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = LedgerClient.turn

    def breaks(ledger: LedgerClient, report: Any, again: Any, *rest: Any) -> Any:
        if again:
            raise RuntimeError("broken")
        return turn(ledger, report, again, *rest)

    monkeypatch.setattr(connection_worker, "RECHECK_AFTER", -1.0)  # each is looked at once more
    monkeypatch.setattr(LedgerClient, "turn", breaks)
    engines.add(20)
    with pytest.raises(RuntimeError, match="broken"):
        engines.run(lambda: False, relay.port)
    assert not relay.messages


def test_a_relay_that_was_away_is_told_of_when_it_works_again(
    engines: Engines, relay: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="deliveries")
    engines.add(20)
    relay.stop()

    def told() -> bool:
        with engines.database.reading() as session:
            return any(each.key.startswith("relay-") for each in recent_alerts(session))

    started: list[int] = []

    def sent() -> bool:
        if not started and told():
            relay.start()
            started.append(relay.port)
        return engines.all_are("sent")()

    engines.run(sent, relay.port)
    assert sum("relay works again" in record.message for record in caplog.records) == 1


def test_a_busy_relay_is_left_alone_on_all_lines(
    engines: Engines, relay: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "RESTS", (3600,))
    engines.add(50)
    relay.on(Misdeed("RCPT", reply="452 4.3.1 Slow down"))
    engines.run(lambda: engines.states()["deferred"] > 0, relay.port)
    assert engines.states()["deferred"] <= 2 * CONNECTIONS  # those that were on the wire


def test_a_refused_mailing_is_paused_and_its_readers_wait(
    engines: Engines, relay: ScriptedServer
) -> None:
    engines.add(50)
    relay.on(Misdeed("MAIL", reply="550 5.7.1 Sender refused"))

    def paused() -> bool:
        with engines.database.reading() as session:
            return session.scalars(select(Mailing.state)).one() == "paused"

    engines.run(paused, relay.port)
    assert engines.states().keys() <= {"pending", "deferred"}
    with engines.database.reading() as session:
        assert any(each.key.startswith("mailing-paused") for each in recent_alerts(session))


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        ("DOT", "554 Quux"),
        ("DOT", "554 Message rejected: Sending suspended for this account."),
        ("RCPT", "550 Quux"),
        ("RCPT", "550 5.1.1 User unknown"),
        ("DATA", "554 Quux"),
    ],
)
def test_whatever_the_relay_says_to_all_costs_no_reader_anything(
    engines: Engines, relay: ScriptedServer, stage: str, reply: str
) -> None:
    engines.add(50)
    relay.on(Misdeed(stage, reply=reply))

    def paused() -> bool:
        with engines.database.reading() as session:
            state = session.scalars(select(Mailing.state)).one()
        return state == "paused" and not engines.states()["claimed"]

    engines.run(paused, relay.port)
    assert engines.states() == {"pending": 50}
    relay.behave()
    with engines.database.transaction() as session:
        session.execute(update(Mailing).values(state="running"))
    engines.run(engines.all_are("sent"), relay.port)
    assert len({each.recipients for each in relay.messages}) == len(relay.messages) == 50


def test_dead_readers_amid_living_ones_fail(engines: Engines, relay: ScriptedServer) -> None:
    engines.add(40)
    relay.on(Misdeed("RCPT", "reader-1", reply="550 5.1.1 User unknown"))  # and 10 to 19
    engines.run(engines.all_are("sent", "failed"), relay.port)
    assert engines.states() == {"sent": 29, "failed": 11}


def test_an_unfit_message_pauses_its_mailing_and_goes_to_nobody(
    engines: Engines, relay: ScriptedServer
) -> None:
    engines.add(5)
    with engines.database.transaction() as session:
        session.execute(update(Edition).values(html="x" * 200_000))

    def paused() -> bool:
        with engines.database.reading() as session:
            return session.scalars(select(Mailing.state)).one() == "paused"

    engines.run(paused, relay.port)
    assert (engines.states(), relay.messages) == ({"pending": 5}, ())


def test_a_message_that_cannot_be_made_stops_no_other(
    engines: Engines, relay: ScriptedServer
) -> None:
    engines.add(5)
    with engines.database.transaction() as session:
        now = SystemClock().now()
        reader = a_subscriber(session, engines.keyring, "asks@example.org")
        send_manage_link(session, engines.keyring, reader.id, "xx", now)
        session.flush()
        take_in_service_messages(session, now=now)
    engines.run(lambda: engines.states()["sent"] == 5, relay.port)
    assert engines.states() == {"sent": 5, "deferred": 1}


def test_a_full_disk_sends_nothing_that_could_not_be_noted(
    engines: Engines, relay: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines.add(20)

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(AttemptJournal, "_write", full)
        engines.run(lambda: engines.states()["deferred"] > 0, relay.port)
    assert relay.messages == ()
    engines.run(engines.all_are("sent"), relay.port)
    assert copies(relay).total() == 20


def test_a_cancelled_mailing_stops_with_the_messages_on_the_wire(
    engines: Engines, relay: ScriptedServer
) -> None:
    engines.add(60)
    relay.on(Misdeed("DOT", delay=0.1))
    cancelled: list[int] = []

    def cancel() -> bool:
        if not cancelled and len(relay.messages) >= 4:
            with engines.database.transaction() as session:
                session.execute(update(Mailing).values(state="cancelled"))
            cancelled.append(len(relay.messages))
        return bool(cancelled) and "claimed" not in engines.states()

    engines.run(cancel, relay.port)
    found = engines.states()
    assert found["sent"] == len(relay.messages) < 60
    # What was in hand is excluded; the rest is excluded by whoever cancels.
    assert found["sent"] + found["excluded"] + found["pending"] == 60
