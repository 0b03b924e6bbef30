"""Messages that have waited are looked at once more at the next turn; their lines wait for it."""

import asyncio
from collections.abc import Collection


class RecheckRequest(dict[int, asyncio.Future[float | None]]):
    """Who waits for an answer, by the numbers of the messages."""

    def answer(self, may_go: Collection[int], checked_at: float = 0.0) -> None:
        """Tell each line when its message was looked at (monotonic), or None if it must not go."""
        for number, waiting in self.items():
            if not waiting.done():
                waiting.set_result(checked_at if number in may_go else None)


class RecheckQueue:
    """Gathers who asks between two turns."""

    def __init__(self) -> None:
        """Nobody asks yet."""
        self._asked = RecheckRequest()
        self._over = False

    def __bool__(self) -> bool:
        """Whether anybody waits for an answer."""
        return bool(self._asked)

    async def ask(self, number: int) -> float | None:
        """Wait for the next turn; return when the message was looked at, None if it stays here."""
        if self._over:
            return None
        self._asked[number] = asyncio.get_running_loop().create_future()
        return await self._asked[number]

    def take(self) -> RecheckRequest:
        """Return who waits; whoever takes them answers them."""
        asked, self._asked = self._asked, RecheckRequest()
        return asked

    def end(self) -> None:
        """Answer whoever waits, and whoever asks from now on: no turn comes any more."""
        self._over = True
        self._asked.answer(())
