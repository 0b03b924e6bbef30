"""Messages that wait for another look: each is answered, whatever becomes of the turn."""

import asyncio

from app.deliveries.dispatch.recheck import RecheckQueue


async def _asked(*numbers: int) -> tuple[RecheckQueue, list["asyncio.Task[float | None]"]]:
    looks = RecheckQueue()
    waiting = [asyncio.create_task(looks.ask(number)) for number in numbers]
    await asyncio.sleep(0)
    return looks, waiting


def test_who_asked_is_told_when_the_message_was_looked_at_or_that_it_stays() -> None:
    async def story() -> list[float | None]:
        looks, waiting = await _asked(1, 2, 3)
        assert looks
        asked = looks.take()
        assert sorted(asked) == [1, 2, 3]
        assert not looks, "they are the turn's now"
        asked.answer({1, 3}, 7.5)
        asked.answer(())  # once more changes nothing
        return await asyncio.gather(*waiting)

    assert asyncio.run(story()) == [7.5, None, 7.5]


def test_when_no_turn_comes_any_more_nobody_waits() -> None:
    async def story() -> list[float | None]:
        looks, waiting = await _asked(1)
        looks.end()
        return [*await asyncio.gather(*waiting), await looks.ask(2)]

    assert asyncio.run(story()) == [None, None]


def test_a_line_that_was_cancelled_meanwhile_is_passed_over() -> None:
    async def story() -> float | None:
        looks, waiting = await _asked(1, 2)
        waiting[0].cancel()
        await asyncio.sleep(0)
        looks.take().answer({1, 2}, 3.0)
        return await waiting[1]

    assert asyncio.run(story()) == 3.0
