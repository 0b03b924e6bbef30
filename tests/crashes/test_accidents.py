"""What happens to relays and databases in the middle of a mailing, with no sender dying."""

import email
import re
import time
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from app.addresses.address import EmailAddress
from app.clock import SystemClock
from app.deliveries.ledger.states import UNCERTAIN
from app.subscribers.sign_up import drop
from tests.crashes.harness import CONNECTIONS, MISDEEDS, await_that, ground
from tests.crashes.proxy import Proxy
from tests.support.postgres import PostgresServer
from tests.support.smtpd import Misdeed, ScriptedServer


@pytest.mark.parametrize("in_doubt", [True, False])
def test_a_misdeed_of_the_relay_loses_and_doubles_nothing(
    in_doubt: bool,  # noqa: FBT001 (a parameter of the test)
    database_url: str,
    tmp_path: Path,
) -> None:
    made_of = [make for make, doubtful in MISDEEDS if doubtful is in_doubt]
    with ground(tmp_path, database_url, readers=150) as made:
        for number, make in enumerate(made_of):
            misdeed = make()
            misdeed.times, misdeed.skip = 1, 5 * number
            made.relay.on(misdeed)
        made.start()
        made.await_end()
        assert made.faults(uncertain=len(made_of) if in_doubt else 0) == []
        assert made.count(UNCERTAIN) == (len(made_of) if in_doubt else 0)


def test_a_relay_that_is_away_for_a_while(database_url: str, tmp_path: Path) -> None:
    with ground(tmp_path, database_url, readers=150) as made:
        made.start()
        made.await_messages(50)
        made.relay.stop()
        time.sleep(1)
        made.relay.start()
        made.await_end()
        assert made.faults(uncertain=CONNECTIONS) == []


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_relay_that_dies_in_mid_mailing_costs_no_message_and_no_double(
    comes_back: bool,  # noqa: FBT001 (a parameter of the test)
    database_url: str,
    tmp_path: Path,
) -> None:
    with ScriptedServer() as other, ground(tmp_path, database_url, readers=400) as made:
        made.others.append(other)
        for relay in made.relays:
            relay.on(Misdeed("DOT", delay=0.02))
        made.start()
        made.await_messages(60)
        made.relay.stop()
        if comes_back:
            time.sleep(1)
            made.relay.start()
        made.await_end()
        assert made.faults(uncertain=CONNECTIONS) == []
        assert len(other.messages) > 100
        assert {row.relay for row in made.attempted()} >= {
            f"127.0.0.1:{relay.port}" for relay in made.relays
        }


def test_a_confirmation_in_doubt_is_repeated_with_the_same_link(
    database_url: str, tmp_path: Path
) -> None:
    with ground(tmp_path, database_url, readers=1) as made:
        made.relay.on(Misdeed("DOT", containing="new@", drop="after", times=1))
        with made.database.transaction() as session:
            drop(
                session,
                made.keyring,
                EmailAddress("new@example.org"),
                segments=["en"],
                language="en",
                consent="1",
                today=SystemClock().now().date(),
            )
        made.start()
        await_that("two messages", lambda: len(made.relay.inbox.of("new@example.org")) == 2)
        first, second = (
            email.message_from_bytes(message.raw)
            for message in made.relay.inbox.of("new@example.org")
        )
        assert first["Message-ID"] == second["Message-ID"]
        links = [re.findall(rb"/confirm/[\w=\r\n-]+", bytes(each)) for each in (first, second)]
        assert links[0] == links[1] != []


def test_a_locked_database_only_delays(tmp_path: Path) -> None:
    with ground(tmp_path, f"sqlite:///{tmp_path}/vestka.db", readers=300) as made:
        made.start()
        made.await_messages(50)
        with made.database.transaction() as session:
            session.execute(text("SELECT 1"))
            time.sleep(2)
        made.await_end()
        assert made.faults(uncertain=0) == []


def test_a_restarted_database_loses_and_doubles_nothing(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = postgres.fresh_database()
    parsed = make_url(url)
    with (
        Proxy(f"{parsed.query['host']}/.s.PGSQL.5432") as proxy,
        ground(tmp_path, url, readers=300) as made,
    ):
        through = parsed.set(host="127.0.0.1", port=proxy.port).difference_update_query(["host"])
        made.url = through.render_as_string(hide_password=False)
        made.relay.on(Misdeed("DOT", delay=0.02))
        made.start()
        for seen in (50, 120, 200):
            made.await_messages(seen)
            proxy.cut()
            time.sleep(1)
            proxy.mend()
        made.await_end()
        assert made.faults(uncertain=0) == []
    postgres.drop(url)
