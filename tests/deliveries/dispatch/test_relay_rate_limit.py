"""A relay's limits: over any window no more than it wants, however many senders ask."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.database import Database
from app.deliveries.dispatch.relay_rate_limit import (
    GOOD_FOR,
    GOOD_FOR_OF_A_SECOND,
    Permit,
    Permits,
    acquire_connection,
    forget_grants,
    give_back,
    release_connection,
    reserve,
)
from app.deliveries.ledger.leases import LEASE, register
from app.deliveries.ledger.models import RelayGrant
from app.mail.limits import Limits, WarmUp, read_limits
from app.mail.relay import Relay, Security
from app.migration import migrate

MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def relay(**limits: int) -> Relay:
    given = {name: str(number) for name, number in limits.items()}
    return Relay("127.0.0.1", 25, Security.NONE, limits=read_limits(given))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    migrate(made)
    yield made
    made.close()


def reserved(database: Database, relay_: Relay, wanted: int, now: datetime) -> list[datetime]:
    with database.transaction() as session:
        return [permit.at for permit in reserve(session, relay_, wanted, now=now)]


def most_in(instants: list[datetime], window: timedelta) -> int:
    """Return the most messages that went in any window of this length."""
    ordered = sorted(instants)
    return max(
        (sum(start <= each < start + window for each in ordered) for start in ordered), default=0
    )


def test_messages_of_a_second_are_spaced_over_all_senders(database: Database) -> None:
    limited = relay(per_second=10)
    went: list[datetime] = []
    for step in range(40):
        now = MONDAY + step * timedelta(milliseconds=250)
        for _sender in range(3):
            went += reserved(database, limited, 7, now)
    assert len(went) == len(set(went))
    assert most_in(went, SECOND) <= 10
    assert len(went) >= 80, "a limit is used, not only kept"


@given(
    per_second=st.integers(1, 40),
    steps=st.lists(st.tuples(st.integers(0, 900), st.integers(1, 30)), min_size=1, max_size=40),
    late=st.lists(st.integers(0, 99), min_size=40, max_size=40),
)
@settings(max_examples=40, deadline=None)
def test_no_second_holds_more_whoever_asks_whenever_and_sends_late(
    per_second: int, steps: list[tuple[int, int]], late: list[int]
) -> None:
    limited, now, went = relay(per_second=per_second), MONDAY, []
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/vestka.db")
        migrate(database)
        for number, (wait, wanted) in enumerate(steps):
            now += timedelta(milliseconds=wait)
            delay = min(timedelta(milliseconds=late[number % len(late)]), GOOD_FOR_OF_A_SECOND)
            went += [at + delay for at in reserved(database, limited, wanted, now)]
        database.close()
    assert most_in(went, SECOND) <= per_second


@pytest.mark.parametrize(
    ("limits", "window"),
    [({"per_hour": 50}, timedelta(hours=1)), ({"per_day": 50}, timedelta(days=1))],
)
def test_an_hour_and_a_day_hold_no_more_also_used_late(
    database: Database, limits: dict[str, int], window: timedelta
) -> None:
    limited, went = relay(**limits), []
    for step in range(60):
        now = MONDAY + step * window / 20
        # The worst that may happen: used at the last instant, or at once.
        late = GOOD_FOR if step % 2 else timedelta()
        went += [at + late for at in reserved(database, limited, 9, now)]
    assert most_in(went, window) <= 50
    assert len(went) >= 100


@pytest.mark.parametrize(
    ("limits", "window"),
    [({"per_hour": 50}, timedelta(hours=1)), ({"per_day": 50}, timedelta(days=1))],
)
def test_a_window_that_is_asked_for_just_after_it_holds_no_more(
    database: Database, limits: dict[str, int], window: timedelta
) -> None:
    """What was permitted at its beginning and used late counts in the next one, too."""
    limited = relay(**limits)
    first = [at + GOOD_FOR for at in reserved(database, limited, 50, MONDAY)]
    just_after = MONDAY + window + SECOND
    went = [*first, *reserved(database, limited, 50, just_after)]
    assert most_in(went, window) <= 50


def test_what_is_exhausted_gives_nothing_and_comes_back(database: Database) -> None:
    limited = relay(per_hour=5)
    assert len(reserved(database, limited, 9, MONDAY)) == 5
    assert reserved(database, limited, 1, MONDAY + timedelta(minutes=59)) == []
    assert len(reserved(database, limited, 9, MONDAY + timedelta(minutes=61))) == 5


def test_what_was_not_used_may_be_used_by_others(database: Database) -> None:
    limited = relay(per_hour=5)
    with database.transaction() as session:
        permits = reserve(session, limited, 5, now=MONDAY)
        give_back(session, {permits[0].grant: 2})
    assert len(reserved(database, limited, 9, MONDAY)) == 2


def test_a_minute_holds_no_more_also_used_late(database: Database) -> None:
    limited, went = relay(per_minute=30), []
    for step in range(240):
        late = GOOD_FOR if step % 2 else timedelta()
        went += [at + late for at in reserved(database, limited, 3, MONDAY + step * SECOND)]
    assert most_in(went, 60 * SECOND) <= 30
    assert len(went) >= 110, "a limit is used, not only kept"


def test_a_relay_that_is_warmed_up_gets_what_its_plan_says(database: Database) -> None:
    plan = WarmUp(MONDAY.date(), (5, 9))
    new = Relay("127.0.0.1", 25, Security.NONE, limits=Limits(warm_up=plan))
    day = timedelta(hours=25)  # what went a day ago to the minute still counts
    got = [len(reserved(database, new, 20, MONDAY + step * day)) for step in (-1, 0, 1, 2)]
    assert got == [0, 5, 9, 20]


def test_relays_do_not_share_their_limits(database: Database) -> None:
    other = Relay("127.0.0.1", 26, Security.NONE, limits=Limits(per_hour=5))
    reserved(database, relay(per_hour=5), 5, MONDAY)
    assert len(reserved(database, other, 5, MONDAY)) == 5


def test_old_counts_are_forgotten(database: Database) -> None:
    reserved(database, relay(per_day=5), 5, MONDAY)
    with database.transaction() as session:
        assert forget_grants(session, now=MONDAY + timedelta(days=1)) == 0
        assert forget_grants(session, now=MONDAY + timedelta(days=3)) == 1
        assert session.get(RelayGrant, 1) is None


def test_a_connection_belongs_to_one_living_sender(database: Database) -> None:
    with database.transaction() as session:
        one, two = (register(session, name, "/", now=MONDAY) for name in ("one", "two"))
        assert acquire_connection(session, "r", 0, 2, one, now=MONDAY)
        assert acquire_connection(session, "r", 0, 2, one, now=MONDAY)
        assert not acquire_connection(session, "r", 0, 2, two, now=MONDAY)
        assert acquire_connection(session, "r", 1, 2, two, now=MONDAY)
    with database.transaction() as session:
        release_connection(session, "r", 1, one)  # not its own to give
        assert not acquire_connection(session, "r", 1, 2, one, now=MONDAY)
        release_connection(session, "r", 1, two)
        release_connection(session, "r", 0, one)
        assert acquire_connection(session, "r", 1, 2, one, now=MONDAY)
        assert acquire_connection(session, "r", 0, 2, two, now=MONDAY)
        assert acquire_connection(session, "r", 0, 2, one, now=MONDAY + LEASE + SECOND)


def test_connections_are_shared_fairly_among_the_living(database: Database) -> None:
    with database.transaction() as session:
        one = register(session, "one", "/", now=MONDAY)
        assert all(acquire_connection(session, "r", n, 5, one, now=MONDAY) for n in range(5))
        two = register(session, "two", "/", now=MONDAY)
        release_connection(session, "r", 4, one)
        assert not acquire_connection(session, "r", 4, 5, one, now=MONDAY), (
            "one has more than its share"
        )
        assert acquire_connection(session, "r", 4, 5, two, now=MONDAY)
        assert acquire_connection(session, "r", 4, 5, two, now=MONDAY), "what is ours stays ours"


def test_who_holds_exactly_its_share_gets_no_more(database: Database) -> None:
    with database.transaction() as session:
        one, _two = (register(session, name, "/", now=MONDAY) for name in ("one", "two"))
        assert all(acquire_connection(session, "r", n, 5, one, now=MONDAY) for n in range(3))
        assert not acquire_connection(session, "r", 3, 5, one, now=MONDAY)


class TestPermits:
    def test_without_limits_messages_go_at_once(self) -> None:
        permits = Permits(Limits(connections=2))
        assert permits.missing(10, MONDAY) == 0
        assert permits.wait(MONDAY) == timedelta()
        assert all(permits.use(MONDAY) for _ in range(100))

    def test_each_is_used_once_and_in_its_time(self) -> None:
        permits = Permits(Limits(per_second=2))
        assert permits.wait(MONDAY) is None
        assert permits.missing(3, MONDAY) == 3
        permits.add([Permit(MONDAY, 1), Permit(MONDAY + SECOND / 2, 1)])
        assert permits.missing(3, MONDAY) == 1
        assert permits.use(MONDAY)
        assert not permits.use(MONDAY)
        assert permits.wait(MONDAY) == SECOND / 2
        assert permits.use(MONDAY + SECOND / 2)
        assert permits.wait(MONDAY + SECOND) is None

    @pytest.mark.parametrize(
        ("limits", "good_for"),
        [(Limits(per_second=2), GOOD_FOR_OF_A_SECOND), (Limits(per_day=2), GOOD_FOR)],
    )
    def test_an_old_one_is_void(self, limits: Limits, good_for: timedelta) -> None:
        permits = Permits(limits)
        permits.add([Permit(MONDAY, 7)])
        assert permits.wait(MONDAY + good_for) == timedelta()
        assert not permits.use(MONDAY + good_for + timedelta(milliseconds=1))
        assert permits.unused == {7: 1}
