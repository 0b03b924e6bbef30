"""Two senders that ask for one limit at this moment get no more than it together."""

from app.database import Database, Transaction
from app.deliveries.destinations.coordination import ThrottleRequest, exchange
from app.deliveries.dispatch.relay_rate_limit import reserve
from app.mail.limits import Limits
from app.mail.relay import Relay, Security
from tests.support.clock import MONDAY
from tests.support.meeting import in_one, meet

MOST = Limits(per_hour=5)


def test_a_relay_s_limit_is_given_out_once(database: Database) -> None:
    relay, got = Relay("127.0.0.1", 25, Security.NONE, limits=MOST), list[int]()

    def asks(session: Transaction, wanted: int = 5) -> None:
        got.append(len(reserve(session, relay, wanted, now=MONDAY)))

    in_one(database, lambda session: asks(session, 0))
    assert meet(database, asks, asks) is None
    assert got == [0, 5, 0]


def test_a_domain_s_limit_is_given_out_once(database: Database) -> None:
    got = list[int]()

    def asks(session: Transaction, wanted: int = 5) -> None:
        request = ThrottleRequest("g", limits=MOST, wanted=wanted)
        got.append(exchange(session, [request], 1, now=MONDAY)["g"].messages)

    in_one(database, lambda session: asks(session, 0))
    assert meet(database, asks, asks) is None
    assert got == [0, 5, 0]
