"""A mailing sent to a small internet in virtual time, by the engines that send the real one.

What is real: claiming, opening, pacing, sending over sockets, recording, retrying, the ledger.
What is made up: the readers, how their servers behave, and how fast time passes.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import event, func, select

from app.addresses.keyring import Keyring
from app.database import Database
from app.deliveries.compose.composing import Composer
from app.deliveries.compose.message_headers import SenderIdentity
from app.deliveries.compose.personalisation import Domains, Personaliser
from app.deliveries.compose.worker_pool import WorkerPool
from app.deliveries.destinations.limits import DestinationLimits
from app.deliveries.dispatch import dispatcher, engine
from app.deliveries.dispatch.attempt_journal import AttemptJournal
from app.deliveries.dispatch.engine import Engine
from app.deliveries.dispatch.exchange import LedgerClient
from app.deliveries.dispatch.relay_health import RelayState
from app.deliveries.ledger.completion import complete
from app.deliveries.ledger.enrolment import enrol
from app.deliveries.ledger.leases import register
from app.deliveries.ledger.models import Delivery, Sender
from app.mail import relay as relays
from app.mailings.models import Mailing
from app.mailings.states import RUNNING
from app.newsletter import Newsletter
from app.operators.alerts import recent_alerts
from app.settings import Mailbox
from bench.audience import prepare
from bench.domains import Manner
from bench.internet import Internet, Relay, Taken
from bench.virtual import BEGIN, VirtualClock, VirtualLoop

PUBLIC_URL = "https://news.example.org"
SENDER = Mailbox("", "news@example.org")
DOMAINS = Domains("news@example.org", "example.org", "example.org")
LIFE = timedelta(hours=48)
PATIENCE = {
    engine: {"POLL": 15.0, "RECORD_EVERY": 0.2, "PACE_EVERY": 0.25},
    dispatcher: {"PACE_EVERY": 0.25, "LEARN_EVERY": 60.0},
}
LOOK_EVERY = 20.0  # virtual seconds


@dataclass(frozen=True)
class Rehearsal:
    """What to rehearse. `relays` are the options of each, such as `weight=2&connections=4`.

    `stops` says after how many seconds a relay goes away for good.
    """

    audience: Sequence[str]
    domains: Mapping[str, Manner] = field(default_factory=dict)
    relays: Sequence[str] = ("",)
    senders: int = 1
    connections: int = 10
    limits: Sequence[str] = ()
    over: timedelta | None = None
    stops: Mapping[int, float] = field(default_factory=dict)
    latency: float = 0.02
    hours: float = 72.0


@dataclass(frozen=True)
class Story:
    """What happened: each message that was taken, what was refused, and how the ledger ended."""

    seconds: float
    taken: Sequence[Taken]
    refused: Mapping[str, Counter[str]]
    states: Mapping[str, int]
    finished: bool
    most_under_way: Mapping[str, int]
    alerts: Sequence[str]

    def of(self, domain: str) -> list[float]:
        """When the messages of a domain were taken."""
        return [each.at for each in self.taken if each.reader.endswith(f"@{domain}")]


class Stage:
    """The installation and the internet of one rehearsal."""

    def __init__(self, plan: Rehearsal, folder: Path, url: str, loop: VirtualLoop) -> None:
        self.plan = plan
        self.folder = folder
        self.loop = loop
        self.clock = VirtualClock(loop)
        self.internet = Internet(plan.domains, plan.latency)
        self.relays = [Relay(self.internet, str(place)) for place in range(len(plan.relays))]
        prepare(folder, url, plan.audience, PUBLIC_URL, 1, over=plan.over, now=BEGIN)
        self.database = Database(url)
        if self.database.is_sqlite:
            event.listen(self.database.engine, "connect", _hurry)
        self.keyring = Keyring.load(folder / "keys")
        self.post = SenderIdentity(
            SENDER, "example.org", "example.org", PUBLIC_URL, Newsletter.load()
        )
        with self.database.transaction() as session:
            enrol(session, life=LIFE, now=BEGIN)

    async def run(self) -> Story:
        """Send until the mailing is finished, or its time is over."""
        stop = asyncio.Event()
        async with AsyncExitStack() as stack:
            urls = []
            for relay, options in zip(self.relays, self.plan.relays, strict=True):
                urls.append(f"smtp+insecure://127.0.0.1:{await relay.start()}?{options}")
                stack.push_async_callback(relay.stop)
            stopping = [
                asyncio.create_task(self._stop_at(place, at))
                for place, at in self.plan.stops.items()
            ]
            names = [f"sender-{number}" for number in range(self.plan.senders)]
            running = [asyncio.create_task(self._send(name, urls, stop)) for name in names]
            try:
                await self._until_finished(running)
            finally:
                stop.set()
                await asyncio.gather(*running)
                for task in stopping:
                    task.cancel()
        return self._story()

    async def _stop_at(self, place: int, at: float) -> None:
        await asyncio.sleep(at)
        await self.relays[place].stop()

    async def _until_finished(self, running: Sequence["asyncio.Task[None]"]) -> None:
        while self.loop.time() < self.plan.hours * 3600:
            ended, _ = await asyncio.wait(running, timeout=LOOK_EVERY)
            finished = await asyncio.to_thread(self._is_finished)
            if ended or finished:
                return

    def _is_finished(self) -> bool:
        with self.database.transaction() as session:
            complete(session, now=self.clock.now())
            running = select(func.count()).where(Mailing.state == RUNNING)
            return not session.scalar(running)

    async def _send(self, name: str, urls: Sequence[str], stop: asyncio.Event) -> None:
        sender_id = await asyncio.to_thread(self._register, name)
        (self.folder / name).mkdir()
        journal = AttemptJournal(self.folder / name, sender_id, urls)
        try:
            await self._engine(sender_id, urls, journal).run(stop)
        finally:
            stop.set()
            journal.close()

    def _engine(self, sender_id: int, urls: Sequence[str], journal: AttemptJournal) -> Engine:
        composer = Composer(self.post, self.keyring)
        openers = WorkerPool(Personaliser(self.keyring, DOMAINS))
        found = [RelayState(relays.Relay.parse(url), place) for place, url in enumerate(urls)]
        return Engine(
            LedgerClient(self.database, sender_id, composer, self.clock),
            openers,
            found,
            journal,
            self.clock,
            hostname="example.org",
            connections=self.plan.connections,
            limits=DestinationLimits.parse(self.plan.limits, self.keyring.secret("domain groups")),
        )

    def _register(self, name: str) -> int:
        """Write down a sender that lives as long as the rehearsal may take."""
        with self.database.transaction() as session:
            sender_id = register(session, name, "/nowhere", now=self.clock.now())
            session.get_one(Sender, sender_id).lease_until += timedelta(hours=self.plan.hours)
            return sender_id

    def _story(self) -> Story:
        with self.database.reading() as session:
            counted = select(Delivery.state, func.count().label("messages")).group_by(
                Delivery.state
            )
            states = {row.state: row.messages for row in session.execute(counted)}
            alerts = [each.text for each in recent_alerts(session)]
            finished = not session.scalar(select(Mailing.id).where(Mailing.state == RUNNING))
        taken = self.internet.taken
        last = max((each.at for each in taken), default=0.0)
        return Story(
            last,
            taken,
            self.internet.refused,
            states,
            finished,
            self.internet.most_under_way,
            alerts,
        )


def _hurry(raw: sqlite3.Connection, _record: object) -> None:
    """Wait for no disk: nothing of a rehearsal has to survive."""
    raw.execute("PRAGMA synchronous=OFF")


@contextmanager
def _patient() -> Iterator[None]:
    """Let engines look around less often than the real ones: only virtual time is lost by it."""
    before = {
        module: {name: vars(module)[name] for name in new} for module, new in PATIENCE.items()
    }
    for module, new in PATIENCE.items():
        vars(module).update(new)
    try:
        yield
    finally:
        for module, old in before.items():
            vars(module).update(old)


def rehearse(plan: Rehearsal, folder: Path, url: str | None = None) -> Story:
    """Rehearse a mailing in an empty folder and an empty database."""
    with _patient():
        return _rehearse(plan, folder, url or f"sqlite:///{folder}/vestka.db")


def _rehearse(plan: Rehearsal, folder: Path, url: str) -> Story:
    loop = VirtualLoop()
    stage = Stage(plan, folder, url, loop)
    try:
        return loop.run_until_complete(stage.run())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        stage.database.close()
