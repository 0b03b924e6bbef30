"""The database's time: what the hosts of one installation agree on, whatever their clocks say.

A lease, a due time and a link's last day are compared with what other hosts wrote. So PostgreSQL is
asked, and its answer is carried on by a clock that never steps. A SQLite file belongs to one host,
whose clock is the only one there is.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock, SystemClock
from app.database import Database


def clock_of(database: Database) -> Clock:
    """Return the clock to go by with this database."""
    return SystemClock() if database.is_sqlite else DatabaseClock(database)


class DatabaseClock:
    """PostgreSQL's clock, as it was at the last refresh, carried on."""

    def __init__(self, database: Database, host: Clock | None = None) -> None:
        """Ask at once. While the database has never answered, the host's clock stands in."""
        self._database = database
        self._host = host or SystemClock()
        self._known: tuple[datetime, float] | None = None
        self.refresh()

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        if self._known is None:
            return self._host.now()
        asked, at = self._known
        return asked + timedelta(seconds=self._host.monotonic() - at)

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for measuring ages."""
        return self._host.monotonic()

    def refresh(self) -> None:
        """Ask the database; if it does not answer, go on with what is known."""
        try:
            with self._database.reading() as session:
                # The first statement opens the connection; the second is asked without a delay.
                session.execute(text("SELECT 1"))
                begun = self._host.monotonic()
                answer: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
                ended = self._host.monotonic()
        except SQLAlchemyError:
            return
        self._known = answer.astimezone(UTC), (begun + ended) / 2
