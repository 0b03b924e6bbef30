"""A sender that dies or is stopped in the middle of a mailing, and the next one that goes on."""

import random
import shutil
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from app.addresses.public_keys import PublicKeys
from app.clock import SystemClock
from app.deliveries.ledger.models import Sender
from app.deliveries.ledger.states import CLAIMED, UNCERTAIN
from app.operators_server import create_operators
from app.web.context import AppContext
from tests.crashes.harness import CONNECTIONS, Ground, await_that, ground, one_run
from tests.support.builders import NEWSLETTER, a_key, visitor
from tests.support.postgres import PostgresServer
from tests.support.smtpd import Misdeed


def listed_as_uncertain(made: Ground) -> set[int]:
    """Ask the operators' API for the messages in doubt."""
    keys = PublicKeys.load(made.folder / "keys")
    here = AppContext(made.settings(), made.database, SystemClock(), NEWSLETTER, keys)
    client = visitor(create_operators(here))
    client.headers["Authorization"] = f"Bearer {a_key(made.database)}"
    rows = client.get(f"/v1/mailings/{made.mailing_id}/uncertain").json()
    return {row["delivery"] for row in rows}


def test_a_mailing_of_two_thousand_survives_a_kill(database_url: str, tmp_path: Path) -> None:
    with ground(tmp_path, database_url, readers=2000) as made:
        sender = made.start()
        made.await_messages(1000)
        sender.kill()
        assert 0 < made.taken().total() < 2000
        made.start()
        made.await_end()
        assert made.faults(uncertain=CONNECTIONS) == []
        doubts = {number for number, state in made.states().items() if state == UNCERTAIN}
        assert listed_as_uncertain(made) == doubts


def test_messages_on_the_wire_are_uncertain_and_no_others(
    database_url: str, tmp_path: Path
) -> None:
    with ground(tmp_path, database_url, readers=100) as made:
        made.relay.on(Misdeed("DOT", skip=20, delay=3600))
        sender = made.start()
        made.await_messages(20 + CONNECTIONS)
        sender.kill()
        made.relay.stop()
        made.relay.behave()
        made.relay.start()
        made.start()
        made.await_end()
        assert made.faults(uncertain=CONNECTIONS) == []
        assert made.count(UNCERTAIN) == CONNECTIONS
        assert made.taken().total() == 100


@pytest.mark.parametrize("seed", [11, 12])
def test_no_accident_loses_or_doubles_a_message(
    seed: int, database_url: str, tmp_path: Path
) -> None:
    faults, story = one_run(tmp_path, database_url, random.Random(seed))
    assert faults == [], story


def test_a_stop_finishes_the_messages_on_the_wire(database_url: str, tmp_path: Path) -> None:
    with ground(tmp_path, database_url, readers=200) as made:
        made.relay.on(Misdeed("DOT", delay=0.05))
        sender = made.start()
        made.await_messages(50)
        assert sender.terminate() == 0
        assert made.count(CLAIMED) == made.count(UNCERTAIN) == 0
        assert made.count("sent") == made.taken().total() < 200
        with made.database.reading() as session:
            assert session.scalars(select(Sender)).all() == []
        made.relay.behave()
        made.start()
        made.await_end()
        assert made.faults(uncertain=0) == []


def test_two_senders_share_a_mailing(postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.fresh_database()
    with ground(tmp_path, url, readers=2000) as made:
        made.start("one")
        made.start("two")
        made.await_end()
        assert made.relay.record.connections > CONNECTIONS  # both took part
        assert made.faults(uncertain=0) == []
    postgres.drop(url)


def test_a_living_sender_takes_over_from_a_dead_one(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = postgres.fresh_database()
    with ground(tmp_path, url, readers=400) as made:
        made.relay.on(Misdeed("DOT", delay=0.02))
        dying = made.start("one")
        made.start("two")
        made.await_messages(100)
        dying.kill()
        made.await_end()
        assert made.faults(uncertain=CONNECTIONS) == []
    postgres.drop(url)


def test_a_lost_journal_leaves_doubts_and_no_second_copies(
    database_url: str, tmp_path: Path
) -> None:
    with ground(tmp_path, database_url, readers=200) as made:
        made.relay.on(Misdeed("DOT", delay=0.02))
        sender = made.start("one")
        made.await_messages(50)
        sender.kill()
        shutil.rmtree(tmp_path / "one")
        made.start("two")
        made.await_end()
        assert made.faults(uncertain=200) == []
        assert made.count(UNCERTAIN) < 200 - 50


def test_a_sender_that_was_forgotten_is_written_down_again(
    database_url: str, tmp_path: Path
) -> None:
    with ground(tmp_path, database_url, readers=100) as made:
        made.relay.on(Misdeed("DOT", delay=0.05))
        sender = made.start()
        made.await_messages(20)
        with made.database.transaction() as session:
            session.execute(delete(Sender))

        def is_there() -> bool:
            with made.database.reading() as session:
                return session.scalar(select(Sender.id)) is not None

        await_that("the sender", is_there)
        sender.kill()
        made.start()
        made.await_end()
        assert made.faults(uncertain=CONNECTIONS) == []
