"""Who keeps a connection that all senders share, and who owes it to another."""

import asyncio

import pytest

from app.deliveries.dispatch.connection_lease import HELD, OTHERS, ConnectionLease
from app.deliveries.dispatch.relay_health import RelayState
from app.mail.relay import Relay
from tests.support.clock import SetClock


class Ground:
    """A relay's connections as one sender sees them."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.state = RelayState(Relay.parse("smtp+insecure://127.0.0.1:25"))
        self.is_free = True
        self.asked = 0

    async def take(self, _relay: str, _number: int, _of: int) -> bool:
        self.asked += 1
        return self.is_free

    async def free(self, _relay: str, _number: int) -> None:
        self.is_free = True

    def holds(self, count: int, of: int) -> list[ConnectionLease]:
        made = [
            ConnectionLease(self.state, number, of, self.clock, self.take, self.free)
            for number in range(of)
        ]
        for each in made[:count]:
            assert asyncio.run(each.take())
        return made


@pytest.fixture
def ground() -> Ground:
    return Ground()


def test_a_lone_sender_keeps_what_it_has(ground: Ground) -> None:
    held = ground.holds(4, of=4)
    ground.clock.go_on(hours=1)
    assert not any(each.is_owed() for each in held)
    assert asyncio.run(held[0].take())
    assert ground.asked == 4


def test_what_is_beyond_our_share_is_owed_after_a_while(ground: Ground) -> None:
    held = ground.holds(4, of=4)
    ground.state.senders = 2
    assert not any(each.is_owed() for each in held)
    ground.clock.go_on(seconds=HELD * 1.1)
    given = 0
    for each in held:
        if each.is_owed():
            asyncio.run(each.free())
            given += 1
    assert given == 2
    assert ground.state.lines == 2


def test_fewer_connections_than_senders_go_from_hand_to_hand(ground: Ground) -> None:
    (held,) = ground.holds(1, of=1)
    ground.state.senders = 3
    ground.clock.go_on(seconds=HELD * 1.1)
    assert held.is_owed()


def test_what_others_have_is_not_asked_for_again_at_once(ground: Ground) -> None:
    (wanted,) = ground.holds(0, of=1)
    ground.is_free = False
    assert not asyncio.run(wanted.take())
    now = ground.clock.monotonic()
    assert wanted.waits(now) == pytest.approx(OTHERS)
    assert ground.state.is_down(now), "it has none, so its messages had better go by another sender"
    ground.clock.go_on(seconds=OTHERS)
    assert wanted.waits(ground.clock.monotonic()) <= 0
