"""Many share one commit: answered after it, in their own words, and the bad one fails alone."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from app.web.group_commit import GroupCommit, TooBusy


class Writer:
    """Writes down who was written together; waits while it is held."""

    def __init__(self, *, held: bool = False) -> None:
        self.turns: list[list[int]] = []
        self.begun, self.free = threading.Event(), threading.Event()
        if not held:
            self.free.set()

    def write(self, wishes: Sequence[int]) -> list[int]:
        self.turns.append(list(wishes))
        self.begun.set()
        assert self.free.wait(10)
        if any(wish < 0 for wish in wishes):
            raise ValueError("a bad one")
        return [wish * 10 for wish in wishes]


async def together(
    gathering: GroupCommit[int, int], wishes: Sequence[int]
) -> list[int | BaseException]:
    return await asyncio.gather(*map(gathering.add, wishes), return_exceptions=True)


@given(st.lists(st.integers(-3, 100), max_size=20), st.integers(1, 7))
def test_each_gets_its_own_outcome_and_the_bad_fail_alone(wishes: list[int], most: int) -> None:
    gathering = GroupCommit(Writer().write, room=100, most=most)
    outcomes = asyncio.run(together(gathering, wishes))
    for wish, outcome in zip(wishes, outcomes, strict=True):
        if wish < 0:
            assert isinstance(outcome, ValueError)
        else:
            assert outcome == wish * 10


def test_nobody_is_answered_before_the_commit_and_all_share_the_next() -> None:
    writer = Writer(held=True)
    gathering = GroupCommit(writer.write, room=100)

    async def flood() -> None:
        asked = [asyncio.ensure_future(gathering.add(0))]
        assert await asyncio.to_thread(writer.begun.wait, 10)
        asked += [asyncio.ensure_future(gathering.add(number)) for number in range(1, 51)]
        await asyncio.sleep(0.05)
        assert not any(each.done() for each in asked)
        writer.free.set()
        assert await asyncio.gather(*asked) == [number * 10 for number in range(51)]

    asyncio.run(flood())
    assert writer.turns == [[0], list(range(1, 51))]


def test_no_more_wait_than_there_is_room_for() -> None:
    writer = Writer(held=True)
    gathering = GroupCommit(writer.write, room=3)

    async def flood() -> list[int | BaseException]:
        asked = [asyncio.ensure_future(gathering.add(number)) for number in range(8)]
        await asyncio.sleep(0.02)
        writer.free.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    outcomes = asyncio.run(flood())
    assert outcomes[:3] == [0, 10, 20]
    assert all(isinstance(outcome, TooBusy) for outcome in outcomes[3:])
    assert asyncio.run(together(gathering, [7])) == [70], "there is room again"


def test_a_database_that_is_away_is_asked_once() -> None:
    turns: list[int] = []

    def away(wishes: Sequence[int]) -> list[int]:
        turns.append(len(wishes))
        raise OperationalError("INSERT", {}, Exception("away"))

    outcomes = asyncio.run(together(GroupCommit(away, room=100), range(20)))
    assert all(isinstance(outcome, OperationalError) for outcome in outcomes)
    assert turns == [20]


def test_a_client_that_is_gone_takes_nobody_along() -> None:
    writer = Writer(held=True)
    gathering = GroupCommit(writer.write, room=100)

    async def flood() -> None:
        asked = [asyncio.ensure_future(gathering.add(number)) for number in range(3)]
        await asyncio.sleep(0.02)
        asked[1].cancel()
        writer.free.set()
        with pytest.raises(asyncio.CancelledError):
            await asked[1]
        assert list(await asyncio.gather(asked[0], asked[2])) == [0, 20]

    asyncio.run(flood())
    assert writer.turns == [[0, 1, 2]], "it was asked for before its client went"


def test_it_outlives_a_loop() -> None:
    gathering = GroupCommit(Writer().write, room=100)
    assert asyncio.run(together(gathering, [1])) == [10]
    assert asyncio.run(together(gathering, [2])) == [20]
