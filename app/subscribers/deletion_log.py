"""Whose row was deleted: should such a row be there again, it was put back, and is not written to.

The senders' witness files note it, too: a database restored from a backup does not know it.
"""

from datetime import date

from app.database import Transaction
from app.dialects import insert_ignore
from app.instance.events import WHOLE, ended, tell_witnesses
from app.subscribers.models import DeletedRow


def remember(session: Transaction, subscriber_id: bytes, *, today: date) -> None:
    """Note that this row is deleted."""
    insert_ignore(session, DeletedRow, [{"id": subscriber_id, "day": today}])
    tell_witnesses(session, [ended(subscriber_id, WHOLE, today)])
