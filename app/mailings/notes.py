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
from app.mailings.states import RECALLED

NAME = "launches"


class LaunchNotes:
    """The file of launches: one line each, `2025-W04 be-ru`; only ever added to.

    A launch that was recalled gets a second line, `recalled 2025-W04 be-ru 2025-01-28T09:00:00Z`,
    with the instant at which it had been launched: so each is noted once.
    """

    def __init__(self, keys_dir: Path) -> None:
        """Read what was noted before."""
        self.path = keys_dir / NAME
        self._noted: set[tuple[str, str]] = set()
        self._recalled: set[tuple[str, str, str]] = set()
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                self._read(line)

    def _read(self, line: str) -> None:
        """Take in a line; those of one launch stand in the order in which it happened."""
        match line.split():
            case ["recalled", week, segment, launched_at]:
                self._recalled.add((week, segment, launched_at))
                self._noted.discard((week, segment))
            case [week, segment]:
                self._noted.add((week, segment))

    def has(self, week: Week, segment: str) -> bool:
        """Tell whether this launch was noted."""
        return (str(week), segment) in self._noted

    def keep_up(self, session: Session) -> None:
        """Note every launch and recall in the database that is not noted yet, whoever's it was."""
        lines = []
        for week, segment, state, launched_at in session.execute(_LAUNCHED):
            key, at = (week, segment), f"{launched_at:%Y-%m-%dT%H:%M:%S.%fZ}"
            if state != RECALLED:
                if key not in self._noted:
                    lines.append(f"{week} {segment}")
            elif (*key, at) not in self._recalled:
                lines.append(f"recalled {week} {segment} {at}")
        if not lines:
            return
        with os.fdopen(os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "a") as f:
            f.writelines(f"{line}\n" for line in lines)
            f.flush()
            os.fsync(f.fileno())
        for line in lines:
            self._read(line)


_LAUNCHED = select(Mailing.week, Mailing.segment, Mailing.state, Mailing.launched_at).order_by(
    Mailing.week, Mailing.segment
)
