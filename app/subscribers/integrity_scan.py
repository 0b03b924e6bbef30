"""Scanning the list, a part at a time, for rows that fail their check, before a message is due.

What is found is set apart; what is whole again, or gone, is taken out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.addresses.keyring import Keyring
from app.database import Database
from app.subscribers.models import Quarantined, Subscriber
from app.subscribers.quarantine import SUBSCRIBER, clear, set_apart
from app.subscribers.row_integrity import Flaw, open_selected, rows

BATCH = 1000


@dataclass
class IntegrityScan:
    """Where the last look ended; the next goes on there, and begins anew after the end."""

    after: bytes = b""

    def look(self, database: Database, keyring: Keyring, *, now: datetime) -> int:
        """Look at the next thousand rows; return how many there were."""
        with database.reading() as session:
            found = session.execute(
                rows().where(Subscriber.id > self.after).order_by(Subscriber.id).limit(BATCH)
            ).all()
        opened = {row.id: open_selected(keyring, row) for row in found}
        flawed = {row_id: flaw for row_id, flaw in opened.items() if isinstance(flaw, Flaw)}
        self.after = found[-1].id if len(found) == BATCH else b""
        with database.transaction() as session:
            known = set(
                session.scalars(select(Quarantined.id).where(Quarantined.kind == SUBSCRIBER))
            )
            there = set(session.scalars(select(Subscriber.id).where(Subscriber.id.in_(known))))
            clear(session, (known - there) | (known & (opened.keys() - flawed.keys())))
            if flawed:
                set_apart(session, SUBSCRIBER, flawed, now=now)
        return len(found)


def scan_all(
    database: Database, keyring: Keyring, *, now: datetime, seen: Callable[[int], object]
) -> int:
    """Look at every row; return how many. `seen` is called with the size of each batch."""
    scrub, total = IntegrityScan(), 0
    while True:
        looked = scrub.look(database, keyring, now=now)
        total += looked
        seen(looked)
        if not scrub.after:
            return total
