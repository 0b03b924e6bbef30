"""What was launched, noted beside the keys: outside the database and its backups.

A database restored from last week's backup does not know that last week's issue was sent; this file
does, and so the calendar does not send it again by itself.
"""

import os
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.issues.week import Week
from app.mailings.models import Mailing

NAME = "launches"


class LaunchNotes:
    """The file of launches: one line each, `2025-W04 be-ru`; only ever added to."""

    def __init__(self, keys_dir: Path) -> None:
        """Read what was noted before."""
        self.path = keys_dir / NAME
        self._noted: set[tuple[str, str]] = set()
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                week, _, segment = line.partition(" ")
                self._noted.add((week, segment))

    def has(self, week: Week, segment: str) -> bool:
        """Tell whether this launch was noted."""
        return (str(week), segment) in self._noted

    def keep_up(self, session: Session) -> None:
        """Note every launch in the database that is not noted yet, also other processes'."""
        launched = {(row.week, row.segment) for row in session.execute(_LAUNCHED)}
        missing = sorted(launched - self._noted)
        if not missing:
            return
        with os.fdopen(os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "a") as f:
            f.writelines(f"{week} {segment}\n" for week, segment in missing)
            f.flush()
            os.fsync(f.fileno())
        self._noted |= launched


_LAUNCHED = select(Mailing.week, Mailing.segment)
