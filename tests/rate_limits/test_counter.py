"""Taking in the database: as the law says, also by many at once; and nothing tells who took."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select

from app.database import Database
from app.rate_limits.counter import forget_taken, take
from app.rate_limits.models import RateLimitCount
from app.rate_limits.sliding_window import open_slots, slot_at, wait
from app.settings import Rate
from tests.support.builders import everything
from tests.support.clock import MONDAY

KEY = b"k" * 32
TEN_MINUTES = timedelta(minutes=10)
NONE = timedelta(0)


def taken(
    database: Database, whom: bytes, *rates: Rate, now: datetime = MONDAY, key: bytes = KEY
) -> timedelta:
    with database.transaction() as session:
        return take(session, key, whom, rates, now=now)


def test_the_database_counts_as_the_law_says(database: Database) -> None:
    chance = Random(5)
    for whom in (b"a", b"b", b"c"):
        rate = Rate(chance.randint(1, 4), TEN_MINUTES)
        counted: Counter[int] = Counter()
        now = MONDAY
        for _ in range(60):
            now += timedelta(seconds=chance.choice([0, 1, 30, 100, 500]))
            said = taken(database, whom, rate, now=now)
            assert said == wait(rate, [counted[slot] for slot in open_slots(rate, now)], now)
            if not said:
                counted[slot_at(rate, now)] += 1


def test_each_has_an_allowance_of_its_own(database: Database) -> None:
    rate = Rate(2, TEN_MINUTES)
    assert [taken(database, b"a", rate) > NONE for _ in range(3)] == [False, False, True]
    assert taken(database, b"b", rate) == NONE
    assert taken(database, b"a", rate, key=b"another" * 4) == NONE
    assert taken(database, b"a", Rate(2, TEN_MINUTES * 2)) == NONE


def test_every_rate_must_have_room(database: Database) -> None:
    day, month = Rate(2, timedelta(days=1)), Rate(3, timedelta(days=30))
    got = [taken(database, b"a", day, month, now=MONDAY + timedelta(days=2 * i)) for i in range(4)]
    assert [wait == NONE for wait in got] == [True, True, True, False]
    assert got[3] > timedelta(days=20)
    assert taken(database, b"a") == NONE, "without a rate there is no limit"


def test_many_at_once_take_no_more_than_there_is(database: Database) -> None:
    rate = Rate(7, TEN_MINUTES)

    def one(_: int) -> bool:
        return taken(database, b"a", rate) == NONE

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(40))) == 7


def test_what_counts_no_more_is_deleted(database: Database) -> None:
    rate = Rate(2, TEN_MINUTES)
    for minutes in (0, 5):
        taken(database, b"a", rate, now=MONDAY + timedelta(minutes=minutes))
    for minutes, left in ((11, 2), (12, 1), (15, 1), (16, 0)):
        with database.transaction() as session:
            forget_taken(session, now=MONDAY + timedelta(minutes=minutes))
            assert len(session.scalars(select(RateLimitCount)).all()) == left


def test_rows_name_nobody_and_cannot_be_joined(database: Database) -> None:
    rate = Rate(9, TEN_MINUTES)
    for seconds in (0, 119, 120, 600):
        taken(database, b"198.51.100.7", rate, now=MONDAY + timedelta(seconds=seconds))
    rows = everything(database)["rate_limit_counts"]
    assert sorted(count for *_, count in rows) == [1, 1, 2]
    assert len({tag for tag, *_ in rows}) == 3, "one client, a tag for each slot"
    assert {len(tag) for tag, *_ in rows} == {16}
    assert all(until.second == 0 and until.minute % 2 == 0 for _, until, _ in rows)
    assert b"198.51" not in repr(rows).encode()
