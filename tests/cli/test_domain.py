"""`vestka domain`: what is slowed or blocked is listed, by name where a name tells nothing."""

from datetime import timedelta

import pytest

from app.addresses.keyring import Keyring
from app.clock import SystemClock
from app.database import Database
from app.deliveries.destinations.coordination import ThrottleRequest, exchange
from app.deliveries.destinations.limits import DestinationLimits
from app.mail.limits import NO_LIMITS
from tests.support.builders import everything
from tests.support.terminal import Terminal


@pytest.fixture
def limits(keyring: Keyring) -> DestinationLimits:
    return DestinationLimits.parse([], keyring.secret("domain groups"))


def tell(database: Database, limits: DestinationLimits, key: str, **news: object) -> None:
    ask = ThrottleRequest(limits.name(key), NO_LIMITS, **news)  # type: ignore[arg-type]
    with database.transaction() as session:
        exchange(session, [ask], 1, now=SystemClock().now())


def test_what_is_slowed_or_blocked_is_listed(
    terminal: Terminal, database: Database, limits: DestinationLimits
) -> None:
    assert "full speed" in terminal.run("domain", "list").out
    tell(database, limits, "gmail", slower=600.0)
    tell(database, limits, "small.example", away=True)
    rows = {row["domain"]: row for row in terminal.run("domain", "list", "--json").json}
    assert rows.keys() == {"gmail", limits.name("small.example")}
    assert rows["gmail"]["per_minute"] == 300
    assert rows[limits.name("small.example")]["blocked_until"] is not None


@pytest.mark.parametrize("named", ["domain", "as it is listed"])
def test_a_block_is_lifted(
    named: str, terminal: Terminal, database: Database, limits: DestinationLimits
) -> None:
    tell(database, limits, "small.example", away=True)
    name = "small.example" if named == "domain" else limits.name("small.example")
    assert terminal.run("domain", "lift", name, "--json").json == {"lifted": True}
    assert "not blocked" in terminal.refused("domain", "lift", "small.example")
    (row,) = terminal.run("domain", "list", "--json").json
    assert row["blocked_until"] is None
    assert row["per_minute"] == 30


def test_a_provider_s_block_is_lifted_by_its_name(
    terminal: Terminal, database: Database, limits: DestinationLimits
) -> None:
    tell(database, limits, "gmail", away=True)
    assert terminal.run("domain", "lift", "gmail.com", "--json").json == {"lifted": True}
    assert "pattern" in terminal.refused("domain", "lift", "gmial")


def test_nothing_stored_names_a_domain(
    terminal: Terminal, database: Database, limits: DestinationLimits
) -> None:
    tell(database, limits, "gmail", slower=600.0, wanted=3)
    later = SystemClock().now() + timedelta(hours=1)
    with database.transaction() as session:
        exchange(
            session, [ThrottleRequest(limits.name("gmail"), NO_LIMITS, wanted=1)], 1, now=later
        )
    assert "gmail" not in repr(everything(database))
