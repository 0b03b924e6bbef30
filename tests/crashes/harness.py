"""The engine under fire: real senders, killed at any moment, against a relay that misbehaves.

At the end the messages that the relay took are compared, reader by reader, with the ledger: nobody
is lost, nobody has two, and at most one message per connection and accident is uncertain. The books
balance at every moment in between.

`python -m tests.crashes.harness --runs 200 --seed 7` makes as many runs as one likes; each prints
its seed, and `--runs 1` with that seed makes it again.
"""

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

from sqlalchemy import insert, select
from sqlalchemy.exc import SQLAlchemyError

from app.addresses.address import EmailAddress
from app.addresses.admission import admit_mac
from app.addresses.blind_index import blind_index
from app.addresses.keyring import Keyring
from app.addresses.sealing import seal
from app.clock import SystemClock
from app.database import Database, Transaction
from app.deliveries.ledger.enrolment import enrol
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.progress import unbalanced
from app.deliveries.ledger.states import EXCLUDED, FAILED, SENT, UNCERTAIN
from app.keys.creation import create_keys
from app.mailings.launch import launch
from app.mailings.models import Mailing
from app.mailings.states import FINISHED
from app.migration import migrate
from app.settings import Settings
from app.subscribers.models import CONFIRMED, Subscriber, Subscription
from app.tokens import new_id, new_link_id
from tests.support.builders import NEWSLETTER, WEEK, an_issue
from tests.support.postgres import PostgresServer, running_server
from tests.support.smtpd import Misdeed, ScriptedServer

REPOSITORY = Path(__file__).resolve().parents[2]
CONNECTIONS = 5
PATIENCE = 60.0  # seconds


def await_that(what: str, look: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait until something is so; fail with `what` if it does not come."""
    end = time.monotonic() + patience
    while not look():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.005)


@dataclass
class SenderProcess:
    """A sender in a process of its own."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def kill(self) -> None:
        """End it as kill -9 does."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """Ask it to end, and return its exit status."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


class Watcher:
    """Looks at the balance again and again, as fast as it may."""

    def __init__(self, url: str) -> None:
        self.looks = 0
        self.wrong: list[int] = []
        self._stop = Event()
        self._url = url
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        database = Database(self._url)
        while not self._stop.wait(0.03):
            # A database that is away tells nothing.
            with contextlib.suppress(SQLAlchemyError), database.reading() as session:
                self.wrong += unbalanced(session)
                self.looks += 1
        database.close()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)


def address_of(number: int) -> str:
    """Return the address of a reader."""
    return f"reader-{number}@example.org"


def enlist(session: Transaction, keyring: Keyring, count: int) -> dict[bytes, str]:
    """Add confirmed readers of `en`, each sealed and admitted; return the addresses by id."""
    people, wishes, names = [], [], {}
    today = SystemClock().now().date()
    for number in range(count):
        row_id, link_id, address = new_id(), new_link_id(), EmailAddress(address_of(number))
        sealed = seal(keyring.list_sealing, row_id, address)
        index = blind_index(keyring.index, address)
        people.append(
            {
                "id": row_id,
                "link_id": link_id,
                "blind_index": index,
                "sealed": sealed,
                "admit": admit_mac(keyring.admit, row_id, link_id, index, sealed),
                "language": "en",
                "day": today,
            }
        )
        wish = {"subscriber_id": row_id, "segment": "en", "state": CONFIRMED, "consent": "1"}
        wishes.append({**wish, "requested_day": today})
        names[row_id] = address.wire
    session.execute(insert(Subscriber), people)
    session.execute(insert(Subscription), wishes)
    return names


@dataclass
class Ground:
    """One installation with its readers and a mailing that is enrolled, and the relay it uses."""

    folder: Path
    url: str
    relay: ScriptedServer
    database: Database
    keyring: Keyring
    mailing_id: int
    readers: dict[int, str]  # addresses by delivery
    senders: list[SenderProcess] = field(default_factory=list)
    others: list[ScriptedServer] = field(default_factory=list)  # further relays
    settings_besides: dict[str, str] = field(default_factory=dict)

    @property
    def relays(self) -> list[ScriptedServer]:
        return [self.relay, *self.others]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.defpath,
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "VESTKA_KEYS_DIR": str(self.folder / "keys"),
            "VESTKA_DATABASE_URL": self.url,
            "VESTKA_PUBLIC_URL": "https://news.example.org",
            "VESTKA_RELAYS": ",".join(f"smtp+insecure://127.0.0.1:{r.port}" for r in self.relays),
            "VESTKA_FROM": "News <news@example.org>",
            "VESTKA_SCHEDULE": "off",
            "VESTKA_RELAY_CONNECTIONS": str(CONNECTIONS),
            **self.settings_besides,
        }

    def settings(self) -> Settings:
        return Settings({**self.environment, "VESTKA_DATA_DIR": str(self.folder / "var")})

    def start(self, data_dir: str = "var") -> SenderProcess:
        """Start a sender with this data directory."""
        log = self.folder / f"sender-{len(self.senders)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.crashes.hurried"],
                cwd=REPOSITORY,
                env={**self.environment, "VESTKA_DATA_DIR": str(self.folder / data_dir)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        sender = SenderProcess(process, log)
        self.senders.append(sender)
        return sender

    def await_messages(self, count: int) -> None:
        """Wait until the relay has taken so many messages, or the mailing is over."""

        def look() -> bool:
            return len(self.relay.messages) >= count or self._is_idle() or self.is_finished()

        await_that(f"message {count}", look)

    def _is_idle(self) -> bool:
        return all(sender.process.poll() is not None for sender in self.senders)

    def is_finished(self) -> bool:
        """Whether the mailing has ended."""
        try:
            with self.database.reading() as session:
                return session.get_one(Mailing, self.mailing_id).state == FINISHED
        except SQLAlchemyError:
            return False

    def await_end(self, patience: float = PATIENCE) -> None:
        """Wait until the mailing has ended."""
        await_that("the end of the mailing", self.is_finished, patience)

    def states(self) -> dict[int, str]:
        """Return the state of each message."""
        query = select(Delivery.id, Delivery.state).where(Delivery.mailing_id == self.mailing_id)
        with self.database.reading() as session:
            return {row.id: row.state for row in session.execute(query)}

    def count(self, state: str) -> int:
        """Return how many messages are in a state."""
        return list(self.states().values()).count(state)

    def attempted(self) -> list[Delivery]:
        """Return the rows of messages that were tried, as the ledger tells by which relay."""
        with self.database.reading() as session:
            return list(session.scalars(select(Delivery).where(Delivery.relay.is_not(None))))

    def taken(self) -> Counter[str]:
        """Return how many messages the relay took for each reader."""
        return Counter(message.recipients[0] for relay in self.relays for message in relay.messages)

    def faults(self, *, uncertain: int = 0, refused: frozenset[str] = frozenset()) -> list[str]:
        """Compare the messages with the ledger, and say what is not as promised."""
        taken, found = self.taken(), []
        states = self.states()
        for delivery_id, address in self.readers.items():
            state, messages = states[delivery_id], taken[address]
            allowed = {SENT: (1,), UNCERTAIN: (0, 1), FAILED: (0,), EXCLUDED: (0,)}.get(state, ())
            if messages not in allowed or (state == FAILED and address not in refused):
                found.append(f"{address}: {state}, {messages} messages")
        doubts = list(states.values()).count(UNCERTAIN)
        if doubts > uncertain:
            found.append(f"{doubts} uncertain, at most {uncertain} may be")
        if set(taken) - set(self.readers.values()):
            found.append("messages to strangers")
        return found


@contextlib.contextmanager
def ground(
    folder: Path, url: str, *, readers: int, relay: ScriptedServer | None = None
) -> Iterator[Ground]:
    """Prepare an installation; watch its balance until the end, and end what still runs."""
    now = SystemClock().now()
    create_keys(folder / "keys")
    keyring = Keyring.load(folder / "keys")
    database = Database(url)
    migrate(database)
    with database.transaction() as session:
        names = enlist(session, keyring, readers)
        an_issue(session, approved=["en"], now=now)
        mailing, _ = launch(session, WEEK, NEWSLETTER.segment("en"), by="harness", now=now)
        mailing_id = mailing.id
    with database.transaction() as session:
        enrol(session, life=timedelta(hours=48), now=now)
    with database.reading() as session:
        rows = session.execute(select(Delivery.id, Delivery.subscriber_id)).all()
    messages = {row.id: names[row.subscriber_id] for row in rows if row.subscriber_id}
    with relay or ScriptedServer() as server:
        made = Ground(folder, url, server, database, keyring, mailing_id, messages)
        watcher = Watcher(url)
        try:
            yield made
        except AssertionError:
            for sender in made.senders:
                print(sender.process.poll(), sender.log.read_text()[-3000:])  # noqa: T201
            raise
        finally:
            for sender in made.senders:
                if sender.process.poll() is None:
                    sender.kill()
            watcher.stop()
            database.close()
    assert watcher.looks, "nobody looked at the balance"
    assert watcher.wrong == [], "the books did not balance"


# What may go wrong at the relay: how, and whether a message may then be in doubt.
MISDEEDS: tuple[tuple[Callable[[], Misdeed], bool], ...] = (
    (lambda: Misdeed("DOT", drop="before"), True),
    (lambda: Misdeed("DOT", drop="after"), True),
    (lambda: Misdeed("DOT", half=True), True),
    (lambda: Misdeed("DOT", reply="421 4.3.2 Closing"), False),
    (lambda: Misdeed("DOT", reply="451 4.3.0 Later"), False),
    (lambda: Misdeed("DOT", delay=0.1), False),
    (lambda: Misdeed("CONNECT", reply="421 4.3.2 Not now"), False),
    (lambda: Misdeed("CONNECT", drop="before"), False),
    (lambda: Misdeed("EHLO", drop="before"), False),
    (lambda: Misdeed("MAIL", reply="421 4.3.2 Closing"), False),
    (lambda: Misdeed("MAIL", drop="after"), False),
    (lambda: Misdeed("MAIL", reply="452 4.3.1 Full"), False),
    (lambda: Misdeed("RCPT", reply="450 4.2.0 Greylisted"), False),
    (lambda: Misdeed("RCPT", drop="before"), False),
    (lambda: Misdeed("RCPT", half=True), False),
    (lambda: Misdeed("DATA", drop="after"), False),
    (lambda: Misdeed("DATA", reply="451 4.3.0 Later"), False),
    (lambda: Misdeed("DATA", half=True), False),
)


def one_run(folder: Path, url: str, chance: random.Random) -> tuple[list[str], str]:
    """Make one run of accidents drawn by `chance`; return its faults, and what happened."""
    readers = chance.randrange(60, 200)
    relay = ScriptedServer()
    refused = frozenset(address_of(chance.randrange(readers)) for _ in range(chance.randrange(3)))
    for address in refused:
        relay.on(Misdeed("RCPT", containing=f"<{address}>", reply="550 5.1.1 No such user"))
    doubtful = 0
    story = [f"{readers} readers"]
    for make, in_doubt in chance.sample(MISDEEDS, chance.randrange(4)):
        misdeed = make()
        misdeed.times, misdeed.skip = chance.randrange(1, 4), chance.randrange(readers)
        doubtful += misdeed.times if in_doubt else 0
        relay.on(misdeed)
        story.append(f"{misdeed.times} x {misdeed}")
    with ground(folder, url, readers=readers, relay=relay) as made:
        sender = made.start()
        for at in sorted(chance.sample(range(readers), chance.randrange(1, 4))):
            made.await_messages(at)
            time.sleep(chance.random() * 0.03)
            if chance.random() < 0.25:
                relay.stop()
                time.sleep(chance.random() * 0.5)
                relay.start()
                story.append(f"relay away after {at}")
            elif chance.random() < 0.2:
                sender.terminate()
                sender = made.start()
                story.append(f"stopped after {at}")
                continue
            else:
                sender.kill()
                sender = made.start()
                story.append(f"killed after {at}")
            doubtful += CONNECTIONS
        made.await_end()
        sender.terminate()
        story.append(f"{made.count(UNCERTAIN)} uncertain of at most {doubtful}")
        return made.faults(uncertain=doubtful, refused=refused), ", ".join(story)


def main() -> int:
    """Make runs until one fails or all are made; return the exit status."""
    parser = argparse.ArgumentParser(description="Kill senders, and compare messages and ledger.")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and so end the senders, too
    with running_server() as server_url:
        server = PostgresServer(server_url)
        for seed in range(wanted.seed, wanted.seed + wanted.runs):
            for engine in ("sqlite", "postgresql"):
                folder = Path(tempfile.mkdtemp(prefix="vestka-crash-"))
                url = f"sqlite:///{folder}/vestka.db"
                url = url if engine == "sqlite" else server.fresh_database()
                try:
                    faults, story = one_run(folder, url, random.Random(seed))
                except AssertionError:
                    faults, story = [traceback.format_exc()], "it did not come to its end"
                print(f"seed {seed} on {engine}: {'FAILED' if faults else 'good'}: {story}")  # noqa: T201
                if faults:
                    print("\n".join(faults[:20]), f"\nleft for you: {folder}", sep="\n")  # noqa: T201
                    return 1
                shutil.rmtree(folder, ignore_errors=True)
                if engine == "postgresql":
                    server.drop(url)
    return 0


if __name__ == "__main__":
    sys.exit(main())
