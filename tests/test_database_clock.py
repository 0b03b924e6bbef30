"""All hosts go by the database's clock; while it is silent, by what it said last."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from app.clock import StepWatch, SystemClock
from app.database import Database
from app.database_clock import DatabaseClock, clock_of
from tests.support.clock import MONDAY, SetClock
from tests.support.postgres import PostgresServer

NEAR = timedelta(minutes=1)  # a busy machine may take its time


@dataclass
class Host(SetClock):
    """A host whose clock is set to whatever somebody liked."""

    elapsed: float = 1000.0

    def monotonic(self) -> float:
        return self.elapsed


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    opened = Database(postgres.fresh_database())
    yield opened
    opened.close()


def test_a_host_whose_clock_is_years_off_goes_by_the_database(database: Database) -> None:
    host = Host()
    clock = DatabaseClock(database, host)
    assert abs(clock.now() - SystemClock().now()) < NEAR
    host.go_on(days=300)
    assert abs(clock.now() - SystemClock().now()) < NEAR
    host.elapsed += 3600
    assert abs(clock.now() - SystemClock().now() - timedelta(hours=1)) < NEAR
    clock.refresh()
    assert abs(clock.now() - SystemClock().now()) < NEAR


def test_while_the_database_is_away_its_last_word_is_carried_on(database: Database) -> None:
    host = Host()
    clock = DatabaseClock(database, host)
    known = clock.now()
    clock._database = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    host.elapsed += 60
    clock.refresh()
    assert clock.now() - known == timedelta(seconds=60)


def test_a_database_that_never_answered_leaves_the_host_s_clock() -> None:
    clock = DatabaseClock(Database("postgresql+psycopg://nobody@127.0.0.1:1/none"), Host())
    assert clock.now() == MONDAY


def test_sqlite_has_its_host_s_clock(tmp_path: Path) -> None:
    assert isinstance(clock_of(Database(f"sqlite:///{tmp_path}/vestka.db")), SystemClock)


@pytest.mark.parametrize(
    ("now", "elapsed", "told"),
    [(10, 10, 0), (12, 10, 0), (3600, 10, 0), (6, 10, 0), (4, 10, 6), (-3590, 10, 3600)],
)
def test_only_a_step_back_is_noticed(now: float, elapsed: float, told: float) -> None:
    watch = StepWatch()
    assert watch.look(MONDAY, 100.0) == timedelta(0)
    back = watch.look(MONDAY + timedelta(seconds=now), 100.0 + elapsed)
    assert back == timedelta(seconds=told)
    assert watch.look(MONDAY + timedelta(seconds=now + 1), 101.0 + elapsed) == timedelta(0)
