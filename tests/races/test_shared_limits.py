"""Two senders that ask for one limit at this moment get no more than it together."""

import pytest

from app.database import Database, Transaction
from app.deliveries.destinations import coordination
from app.deliveries.destinations.coordination import ThrottleRequest, exchange
from app.deliveries.dispatch import relay_rate_limit
from app.deliveries.dispatch.relay_rate_limit import reserve
from app.mail.limits import Limits
from app.mail.relay import Relay, Security
from tests.support.clock import MONDAY
from tests.support.meeting import in_one, meet_within

MOST = Limits(per_hour=5)


def test_a_relay_s_limit_is_given_out_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay, got = Relay("127.0.0.1", 25, Security.NONE, limits=MOST), list[int]()

    def asks(session: Transaction, wanted: int = 5) -> None:
        got.append(len(reserve(session, relay, wanted, now=MONDAY)))

    in_one(database, lambda session: asks(session, 0))
    place = (relay_rate_limit, "_uncounted")  # what is counted here holds until the commit
    assert meet_within(database, monkeypatch, place, asks, lambda: in_one(database, asks)) == []
    assert got == [0, 5, 0]


def test_a_domain_s_limit_is_given_out_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    got = list[int]()

    def asks(session: Transaction, wanted: int = 5) -> None:
        request = ThrottleRequest("g", limits=MOST, wanted=wanted)
        got.append(exchange(session, [request], 1, now=MONDAY)["g"].messages)

    in_one(database, lambda session: asks(session, 0))
    place = (coordination, "_this_hour")
    assert meet_within(database, monkeypatch, place, asks, lambda: in_one(database, asks)) == []
    assert got == [0, 5, 0]
