"""Whose row was deleted, noted beside the keys too: outside the database and its backups.

A database restored from last week's backup, or changed by somebody, does not know who left since;
this file does, and so nobody who left is written to again. It holds random ids, never an address.
"""

import os
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import delete, select

from app.database import Transaction
from app.dialects import insert_if_absent, insert_ignore
from app.keys.generations import oldest_day
from app.operators.alerts import alert
from app.subscribers.models import DeletedRow

NAME = "endings"


def remember(session: Transaction, subscriber_id: bytes, *, today: date) -> None:
    """Note in the database that this row is deleted."""
    insert_ignore(session, DeletedRow, [{"id": subscriber_id, "day": today}])


class EndingNotes:
    """The file of endings: one line each, the row's id in hex and the day."""

    def __init__(self, keys_dir: Path) -> None:
        """Read what was noted before."""
        self.path = keys_dir / NAME
        self._noted: dict[bytes, date] = {}
        if self.path.exists():
            for line in self.path.read_text(encoding="ascii").splitlines():
                row_id, _, day = line.partition(" ")
                self._noted[bytes.fromhex(row_id)] = date.fromisoformat(day)

    def keep_up(self, session: Transaction, *, now: datetime) -> int:
        """Make file and database know the same; return how many the database had forgotten."""
        known = {row.id: row.day for row in session.execute(select(DeletedRow.id, DeletedRow.day))}
        forgotten = [
            {"id": row_id, "day": day} for row_id, day in self._noted.items() if row_id not in known
        ]
        if forgotten:
            insert_if_absent(session, DeletedRow, forgotten)
            text = (
                "The database had forgotten that readers left: it was restored from a backup, or"
                f" changed. Nobody of them is written to: {len(forgotten)}."
            )
            alert(session, f"endings-forgotten-{now.date()}", text, now=now)
        self._add({row_id: day for row_id, day in known.items() if row_id not in self._noted})
        oldest = oldest_day(self.path.parent)
        if oldest is not None and any(day < oldest for day in self._noted.values()):
            self.forget(session, oldest)
        return len(forgotten)

    def _add(self, new: dict[bytes, date]) -> None:
        if not new:
            return
        with os.fdopen(os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "a") as f:
            f.writelines(_line(row_id, day) for row_id, day in sorted(new.items()))
            f.flush()
            os.fsync(f.fileno())
        self._noted |= new

    def forget(self, session: Transaction, before: date) -> None:
        """Drop what ended before that day: no key is left that opens a row of then."""
        session.execute(delete(DeletedRow).where(DeletedRow.day < before))
        self._noted = {row_id: day for row_id, day in self._noted.items() if day >= before}
        aside = self.path.with_name(f".{NAME}.new")
        with os.fdopen(os.open(aside, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as f:
            f.writelines(_line(row_id, day) for row_id, day in sorted(self._noted.items()))
            f.flush()
            os.fsync(f.fileno())
        aside.replace(self.path)


def _line(row_id: bytes, day: date) -> str:
    return f"{row_id.hex()} {day}\n"
