"""Letting two transactions of PostgreSQL meet: one is held before its commit, the other runs."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from app.database import Database, Transaction

Act = Callable[[Transaction], object]

PATIENCE = 30.0  # seconds
# Whether anybody in this database waits for a lock that somebody else holds.
_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def until_it_waits(database: Database, running: Future[object]) -> None:
    """Return when what runs is done, or waits for a lock."""
    end = time.monotonic() + PATIENCE
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as onlooker:
        while not running.done() and not onlooker.scalar(_WAITING):
            assert time.monotonic() < end, "it is neither done nor does it wait"
            time.sleep(0.01)


def in_one(database: Database, act: Act) -> object:
    """Do it in a transaction of its own."""
    with database.transaction() as session:
        return act(session)


def meet(database: Database, first: Act, second: Act) -> BaseException | None:
    """Do `first`; before its commit let `second` run until it waits; return what that raised."""
    with ThreadPoolExecutor() as pool:
        with database.transaction() as session:
            first(session)
            session.flush()
            running = pool.submit(in_one, database, second)
            until_it_waits(database, running)
        return running.exception(PATIENCE)


def meet_within(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    place: tuple[object, str],
    first: Act,
    second: Callable[[], object],
) -> list[str]:
    """Do `first`; when it has called `place` once, let `second` run until it waits.

    Return the first lines of what the two raised.
    """
    owner, name = place
    real: Callable[..., Any] = getattr(owner, name)
    running: list[Future[object]] = []
    raised: list[BaseException] = []
    with ThreadPoolExecutor() as pool:

        def wrapped(session: Transaction, *rest: Any, **more: Any) -> Any:
            done = real(session, *rest, **more)
            if not running:
                session.flush()
                running.append(pool.submit(second))
                until_it_waits(database, running[0])
            return done

        monkeypatch.setattr(owner, name, wrapped)
        try:
            in_one(database, first)
        except Exception as error:  # noqa: BLE001 - whatever it was, the test is told
            raised.append(error)
        assert running, f"{name} was not called"
        other = running[0].exception(PATIENCE)
    raised += [other] if other else []
    return [str(each).partition("\n")[0] for each in raised]
