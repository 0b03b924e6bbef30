"""Groups over all senders: no window holds more than the limits, whoever asks and whenever."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from app.database import Database
from app.deliveries.destinations.block_backoff import WAITS
from app.deliveries.destinations.coordination import (
    FORGOTTEN,
    GRANT_LIFETIME,
    ThrottleGrant,
    ThrottleRequest,
    exchange,
    forget_groups,
    lift,
    standings,
)
from app.deliveries.ledger.leases import LEASE, register
from app.mail.limits import NO_LIMITS, Limits

MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def ask(database: Database, now: datetime, sender: int = 1, **told: object) -> ThrottleGrant:
    wish = ThrottleRequest("g", **{"limits": NO_LIMITS, **told})  # type: ignore[arg-type]
    with database.transaction() as session:
        return exchange(session, [wish], sender, now=now)["g"]


def most_in(went: list[datetime], window: timedelta) -> int:
    ordered = sorted(went)
    return max(sum(start <= each < start + window for each in ordered) for start in ordered)


@pytest.mark.parametrize(
    ("limits", "window", "step"),
    [
        (Limits(per_minute=60), MINUTE, SECOND),
        (Limits(per_minute=7), MINUTE, 5 * SECOND),
        (Limits(per_hour=50), HOUR, 2 * MINUTE),
        (Limits(per_minute=10, per_hour=90), HOUR, MINUTE),
    ],
)
def test_no_window_holds_more_than_the_limit(
    database: Database, limits: Limits, window: timedelta, step: timedelta
) -> None:
    chance, now, went = random.Random(7), MONDAY, list[datetime]()
    most = limits.per_minute if window == MINUTE else limits.per_hour
    with database.transaction() as session:
        while now - MONDAY < 2.5 * window:
            now += step * chance.random()
            asked, sender = ThrottleRequest("g", limits, wanted=20), chance.choice((1, 2))
            messages = exchange(session, [asked], sender, now=now)["g"].messages
            went += [now + GRANT_LIFETIME * chance.random() for _ in range(messages)]
    assert most is not None
    assert most_in(went, window) <= most
    assert len(went) >= 1.6 * most, "a limit is used, not only kept"


def test_connections_are_shared_by_the_living(database: Database) -> None:
    limits = Limits(connections=3)
    with database.transaction() as session:
        one, two = (register(session, name, "/", now=MONDAY) for name in ("one", "two"))
    assert ask(database, MONDAY, one, limits=limits, wanted=9).messages == 3
    assert ask(database, MONDAY, two, limits=limits, wanted=9).messages == 0
    assert ask(database, MONDAY, one, limits=limits, under_way=1).messages == 0
    assert ask(database, MONDAY, two, limits=limits, wanted=9).messages == 2
    later = MONDAY + LEASE + SECOND
    assert ask(database, later, one, limits=limits, under_way=1, wanted=9).messages == 2, "two died"


def test_one_sender_s_news_slow_the_others(database: Database) -> None:
    assert ask(database, MONDAY, 1, slower=600.0).standing.speed is not None
    assert ask(database, MONDAY, 2, wanted=500).messages <= 6
    with database.reading() as session:
        assert [s.speed.per_minute for s in standings(session).values() if s.speed] == [300]
    again = ask(database, MONDAY + 5 * SECOND, 2, slower=600.0).standing
    assert again.speed is not None
    assert again.speed.per_minute == 300, "both heard the same"


def test_it_comes_back_when_messages_are_taken(database: Database) -> None:
    ask(database, MONDAY, slower=600.0)
    now = MONDAY
    for _ in range(60):
        now += MINUTE
        standing = ask(database, now, taken=True).standing
    assert standing.speed is None
    assert ask(database, now, wanted=500).messages == 500


def test_it_does_not_pass_its_limit_on_the_way_back(database: Database) -> None:
    limits = Limits(per_minute=100)
    ask(database, MONDAY, limits=limits, slower=100.0)
    now = MONDAY
    for _ in range(30):
        now += MINUTE
        standing = ask(database, now, limits=limits, taken=True).standing
        assert standing.speed is None or standing.speed.per_minute < 100
    assert standing.speed is None


def test_a_block_lets_one_probe_through_and_a_taken_message_ends_it(database: Database) -> None:
    ask(database, MONDAY, away=True)
    early = ask(database, MONDAY + WAITS[0] - SECOND, 2, wanted=9)
    assert (early.messages, early.again_at) == (0, MONDAY + WAITS[0])
    now = MONDAY + WAITS[0]
    assert ask(database, now, 2, wanted=9).messages == 1
    assert ask(database, now, 1, wanted=9).messages == 0
    assert ask(database, now + SECOND, 2, away=True).standing.block is not None
    assert ask(database, now + WAITS[1] - SECOND, wanted=9).messages == 0
    assert ask(database, now + WAITS[1], wanted=9).messages == 1
    ended = ask(database, now + WAITS[1] + SECOND, taken=True).standing
    assert ended.block is None
    assert ended.speed is not None


def test_an_operator_lifts_a_block(database: Database) -> None:
    ask(database, MONDAY, away=True)
    with database.transaction() as session:
        assert lift(session, "g", now=MONDAY)
        assert not lift(session, "g", now=MONDAY)
        assert not lift(session, "other", now=MONDAY)
    assert ask(database, MONDAY + SECOND, wanted=9).messages > 0


def test_what_is_long_ago_is_forgotten(database: Database) -> None:
    ask(database, MONDAY, slower=9.0, limits=Limits(connections=1, per_hour=5), wanted=1)
    with database.transaction() as session:
        assert forget_groups(session, now=MONDAY + HOUR) == 0
        assert forget_groups(session, now=MONDAY + FORGOTTEN + HOUR) == 1
        assert standings(session) == {}
