"""A sender's life: one per data directory; it renews, judges others late, leaves nothing behind."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.addresses.keyring import Keyring
from app.database import Database
from app.deliveries.dispatch.attempt_journal import SenderRunsAlready
from app.deliveries.ledger.claiming import claim
from app.deliveries.ledger.leases import LEASE, register, renew
from app.deliveries.ledger.models import Sender as SenderRow
from app.mail.dkim.dkim_keys import ED25519, RSA, create_dkim_key
from app.operators.alerts import recent_alerts
from app.sender import Sender, prepare
from app.settings import Settings, SettingWrong
from tests.deliveries.rows import a_mailing, states
from tests.support.builders import NEWSLETTER, PUBLIC_URL
from tests.support.clock import MONDAY, SetClock
from tests.support.smtpd import ScriptedServer


@pytest.fixture
def environment(tmp_path: Path, keys_dir: Path) -> dict[str, str]:
    return {
        "VESTKA_DATA_DIR": str(tmp_path / "var"),
        "VESTKA_KEYS_DIR": str(tmp_path),
        "VESTKA_PUBLIC_URL": PUBLIC_URL,
        "VESTKA_FROM": "news@example.org",
        "VESTKA_RELAYS": "smtp+insecure://127.0.0.1:1",
        "VESTKA_SCHEDULE": "off",
    }


@pytest.fixture
def sender(
    environment: dict[str, str], database: Database, keyring: Keyring, clock: SetClock
) -> Iterator[Sender]:
    made = prepare(Settings(environment), database, NEWSLETTER, keyring, clock)
    yield made
    made._journals.close()


@pytest.fixture
def make(
    environment: dict[str, str], database: Database, keyring: Keyring
) -> Iterator[Callable[[SetClock], Sender]]:
    """Make a sender that goes by the clock that is given."""
    made: list[Sender] = []

    def by(clock: SetClock) -> Sender:
        made.append(prepare(Settings(environment), database, NEWSLETTER, keyring, clock))
        return made[-1]

    yield by
    for each in made:
        each._journals.close()


def test_a_second_sender_is_refused(
    sender: Sender,
    environment: dict[str, str],
    database: Database,
    keyring: Keyring,
    clock: SetClock,
) -> None:
    with pytest.raises(SenderRunsAlready):
        prepare(Settings(environment), database, NEWSLETTER, keyring, clock)


@pytest.mark.parametrize("name", ["VESTKA_RELAYS", "VESTKA_SCHEDULE"])
def test_a_wrong_setting_is_named_before_anything_runs(
    name: str, environment: dict[str, str], database: Database, keyring: Keyring, clock: SetClock
) -> None:
    settings = Settings({**environment, name: "nonsense"})
    with pytest.raises(SettingWrong, match=name):
        prepare(settings, database, NEWSLETTER, keyring, clock)


def test_it_sends_what_is_due_and_leaves_no_trace(
    environment: dict[str, str], database: Database, keyring: Keyring, clock: SetClock
) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring, 5)
    with ScriptedServer() as relay:
        relays = {"VESTKA_RELAYS": f"smtp+insecure://127.0.0.1:{relay.port}"}
        sender = prepare(Settings({**environment, **relays}), database, NEWSLETTER, keyring, clock)
        asyncio.run(_run_until_sent(sender, database, 5))
        assert len(relay.messages) == 5
    with database.reading() as session:
        assert session.scalars(select(SenderRow)).all() == []
    assert list(sender._journals.folder.glob("attempts-*")) == []


async def _run_until_sent(sender: Sender, database: Database, count: int) -> None:
    def sent() -> int:
        with database.reading() as session:
            return states(session)["sent"]

    stop = asyncio.Event()
    running = asyncio.create_task(sender.run(stop))
    async with asyncio.timeout(30):
        while await asyncio.to_thread(sent) < count and not running.done():
            await asyncio.wait({running}, timeout=0.05)
    stop.set()
    await running


def _another_holds_messages(database: Database, keyring: Keyring) -> int:
    with database.transaction() as session:
        a_mailing(session, keyring, 3)
        other = register(session, "other", "/nowhere", now=MONDAY)
        claim(session, other, limit=3, now=MONDAY)
    return other


def test_it_frees_what_a_dead_sender_held(
    sender: Sender, database: Database, keyring: Keyring, clock: SetClock
) -> None:
    _another_holds_messages(database, keyring)
    own = sender._begin()
    sender._renew(own, clock.now())
    clock.go_on(seconds=LEASE.total_seconds() / 2)
    sender._renew(own, clock.now())
    with database.reading() as session:
        assert states(session) == {"claimed": 3}
    clock.go_on(seconds=LEASE.total_seconds() / 2)
    sender._renew(own, clock.now())
    with database.reading() as session:
        assert states(session) == {"uncertain": 3}
        assert session.scalars(select(SenderRow.id)).all() == [own]


def test_who_was_cut_off_itself_gives_the_others_time(
    sender: Sender, database: Database, keyring: Keyring, clock: SetClock
) -> None:
    _another_holds_messages(database, keyring)
    own = sender._begin()
    sender._renew(own, clock.now())
    clock.go_on(seconds=2 * LEASE.total_seconds())  # the database was away, for the other as well
    sender._renew(own, clock.now())
    with database.reading() as session:
        assert states(session) == {"claimed": 3}
    for _ in range(2):
        clock.go_on(seconds=LEASE.total_seconds() / 2)
        sender._renew(own, clock.now())
    with database.reading() as session:
        assert states(session) == {"uncertain": 3}


@dataclass
class SteppedClock(SetClock):
    """A clock that is set to another time, while the seconds go by as before."""

    elapsed: float = 0.0

    def monotonic(self) -> float:
        return self.elapsed

    def passes(self, seconds: float, *, step: float = 0.0) -> None:
        self.elapsed += seconds
        self.go_on(seconds=seconds + step)


@pytest.fixture
def stepped() -> SteppedClock:
    return SteppedClock()


def told(database: Database) -> list[str]:
    with database.reading() as session:
        return [each.text for each in recent_alerts(session) if "went back" in each.text]


@pytest.mark.parametrize("step", [60.0, 3600.0, -60.0, -3600.0])
def test_no_step_of_the_clock_makes_a_living_sender_look_dead(
    make: Callable[[SetClock], Sender],
    stepped: SteppedClock,
    database: Database,
    keyring: Keyring,
    step: float,
) -> None:
    other = _another_holds_messages(database, keyring)
    sender = make(stepped)
    own = sender._begin()
    for turn in range(20):
        sender._renew(own, stepped.now())
        with database.transaction() as session:  # whose clock is right
            at = MONDAY + timedelta(seconds=stepped.elapsed)
            renew(session, other, "other", "/nowhere", now=at)
        stepped.passes(10, step=step if turn == 3 else 0)
    with database.reading() as session:
        assert states(session) == {"claimed": 3}
    assert bool(told(database)) is (step < 0)


@pytest.mark.parametrize("skew", [60.0, -60.0, -3600.0])
def test_a_dead_sender_is_freed_whatever_its_clock_said(
    make: Callable[[SetClock], Sender],
    stepped: SteppedClock,
    database: Database,
    keyring: Keyring,
    skew: float,
) -> None:
    other = _another_holds_messages(database, keyring)
    with database.transaction() as session:
        renew(session, other, "other", "/nowhere", now=MONDAY + timedelta(seconds=skew))
    sender = make(stepped)
    own = sender._begin()
    for _ in range(6):
        sender._renew(own, stepped.now())
        stepped.passes(10)
    with database.reading() as session:
        assert states(session) == {"uncertain": 3}


def test_a_clock_that_was_set_back_between_two_lives_is_told(
    make: Callable[[SetClock], Sender], stepped: SteppedClock, database: Database
) -> None:
    with database.transaction() as session:
        register(session, "other", "/nowhere", now=MONDAY)
    stepped.passes(0, step=-600)
    make(stepped)._begin()
    (text,) = told(database)
    assert "600 seconds" in text


def test_it_signs_with_the_dkim_keys_that_are_there_now(
    sender: Sender, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def selectors() -> set[str]:
        sender._look_at_keys(MONDAY)
        return {selector for selector, _ in sender._openers._here.signs_with}

    assert selectors() == set()
    create_dkim_key(tmp_path, "s1", ED25519, "example.org")
    create_dkim_key(tmp_path, "s2", RSA, "example.org")
    assert selectors() == {"s2", "s1"}
    (tmp_path / "dkim.s3.pem").touch(mode=0o400)
    assert selectors() == {"s2", "s1"}, "those in use, rather than none"
    assert "the DKIM keys cannot be read" in caplog.text
    (tmp_path / "dkim.s3.pem").unlink()
    (tmp_path / "dkim.s2.pem").unlink()
    assert selectors() == {"s1"}
