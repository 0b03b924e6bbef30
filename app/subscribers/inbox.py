"""The way into the inbox from a web process: sign-ups that arrive together share one commit."""

from collections.abc import Sequence

from app.database import Database
from app.subscribers.signing_up import Row, put
from app.web.gathering import Gathering

ROOM = 5000  # rows waiting: some seconds of a flood, and a few megabytes


class Inbox:
    """The inbox of one installation, for one event loop."""

    def __init__(self, database: Database, *, room: int = ROOM) -> None:
        """Write nothing yet."""
        self._database = database
        self._gathering: Gathering[Row, None] = Gathering(self._write, room=room)

    async def take(self, row: Row) -> None:
        """Leave a sealed row in the inbox; it is committed when this returns. Raises TooBusy."""
        await self._gathering.add(row)

    def _write(self, rows: Sequence[Row]) -> Sequence[None]:
        with self._database.transaction() as session:
            put(session, rows)
        return [None] * len(rows)
