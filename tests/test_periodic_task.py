"""What fails again and again is told in full once, to the operators too, and then in a line."""

import asyncio
import logging
from collections.abc import Callable, Sequence

import pytest
from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import OperationalError

from app.database import Database
from app.operators.alerts import recent_alerts
from app.periodic_task import PeriodicTask
from tests.support.clock import SetClock

AWAY = OperationalError("SELECT 1", {}, Exception("no route to the host"))


def does(database: Database, clock: SetClock, raised: Sequence[Exception | None]) -> None:
    """Let a chore raise these, one after the other."""
    stop, left = asyncio.Event(), list(raised)

    def act(_now: object) -> None:
        error = left.pop(0)
        if not left:
            stop.set()
        if error is not None:
            raise error

    asyncio.run(PeriodicTask("often", act, 0.001, database, clock).run(stop))


@pytest.mark.parametrize("error", [AWAY, ExceptionGroup("steps failed", [AWAY, AWAY])])
def test_a_database_that_is_away_is_told_in_a_line(
    error: Exception, database: Database, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    does(database, clock, [error])
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.exc_info is None


def test_a_failure_is_told_in_full_once(
    database: Database, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    nested = ExceptionGroup("steps failed", [ExceptionGroup("some", [KeyError("seldomseen")])])
    does(database, clock, [nested, nested, nested, None, nested, ValueError()])
    said = [record.getMessage() for record in caplog.records]
    ours = ["exc_info" in each for each in said if "a step fail" in each]
    assert ours == [True, False, False, True, True], said
    with database.reading() as session:
        told = [each.text for each in recent_alerts(session)]
    assert sorted("often: KeyError" in each for each in told) == [False, True], "once for each kind"
    assert "seldomseen" not in "".join(told)


def test_another_failure_of_the_same_kind_is_told_in_full_too(
    database: Database, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    def admits() -> Exception:
        return raised_by(lambda: int("x"))

    def launches() -> Exception:
        return raised_by(lambda: int("y"))

    both = ExceptionGroup("steps failed", [admits(), launches()])
    alone = ExceptionGroup("steps failed", [admits()])
    does(database, clock, [alone, both, alone])
    said = [record.getMessage() for record in caplog.records]
    assert ["exc_info" in each for each in said if "a step fail" in each] == [True, True, False]


def raised_by(act: Callable[[], object]) -> Exception:
    try:
        act()
    except ValueError as error:
        return error
    raise AssertionError


def test_two_that_waited_for_each_other_are_told_as_such(
    database: Database, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    met = OperationalError("UPDATE", {}, DeadlockDetected())
    does(database, clock, [met])
    (record,) = caplog.records
    assert "two waited for each other" in record.getMessage()


def test_a_failure_that_cannot_be_told_is_not_the_end(
    database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise AWAY

    monkeypatch.setattr(PeriodicTask, "_alert", away)
    does(database, clock, [KeyError(), None])
