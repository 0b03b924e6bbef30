"""Keeping the witness: what became true is in the file within half a second.

The database is told its new position first, the file afterwards: a file that is ahead of its
database tells of a restore, and nothing else does.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Lock

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.database import Database, Transaction
from app.errors import DomainError
from app.instance.events import WHOLE, suppressed
from app.instance.models import Instance, WitnessEvent
from app.keys.generations import oldest_day
from app.mailings.models import KnownLaunch, Mailing
from app.mailings.states import ON_THEIR_WAY
from app.subscribers.models import DeletedRow
from app.suppressions.models import Suppression
from app.witness.file import WitnessFile
from app.witness.lifting_order import lifts_first
from app.witness.remembered import LAUNCHED, RECALLED, Remembered, is_current, remember
from app.witness.sent_notes import SentNotes
from app.witness.timeline import lock_position, newest_epoch, stands

AT_ONCE = 5000
EVENTS_KEPT = timedelta(days=3)


class DatabaseRestored(DomainError):
    """The database was put back from a backup while the sender ran; the sender begins anew."""


class Witness:
    """One keys directory's witness; kept by one sender at a time."""

    def __init__(self, keys_dir: Path, key: bytes) -> None:
        """Read the file. `key` is that of the sent notes."""
        self.keys_dir = keys_dir
        self.file = WitnessFile(keys_dir)
        self.sent = SentNotes(keys_dir, key)
        self.remembered = remember(self.file.lines())
        self._lock = Lock()

    def stands(self, session: Session) -> bool:
        """Tell whether the database is the one we know, and no older copy of it."""
        return stands(session, self.remembered.mark, self.remembered.position)

    def keep_up(self, database: Database, *, now: datetime) -> None:
        """Note what is new. Raises DatabaseRestored, OSError."""
        with self._lock:
            while self._has_news(database):
                with database.transaction() as session:
                    lines, at = self._take(session, now.date())
                self.sent.sync()
                self.write(lines, *at)

    def write(self, lines: list[str], mark: str, position: int) -> None:
        """Add lines and the position that they lead to."""
        written = [*lines, f"position {mark} {position}"]
        self.file.append(written)
        for line in written:
            self.remembered.take(line.split())

    def _has_news(self, database: Database) -> bool:
        with database.reading() as session:
            if not self.stands(session):
                raise DatabaseRestored
            waiting = select(WitnessEvent.id).where(WitnessEvent.position.is_(None)).limit(1)
            position = session.scalar(select(Instance.position)) or 0
            return (
                self.sent.is_dirty
                or position > self.remembered.position
                or session.scalar(waiting) is not None
                or any(mailing_lines(session, self.remembered))
            )

    def _take(self, session: Transaction, today: date) -> tuple[list[str], tuple[str, int]]:
        instance, epoch = lock_position(session), newest_epoch(session)
        if epoch is None or not self.stands(session):
            raise DatabaseRestored
        seen = self.remembered.position
        waiting = select(WitnessEvent.id).where(WitnessEvent.position.is_(None)).limit(AT_ONCE)
        instance.position += 1
        session.execute(
            update(WitnessEvent)
            .where(WitnessEvent.id.in_(waiting))
            .values(position=instance.position, day=today)
            .execution_options(synchronize_session=False)
        )
        query = select(WitnessEvent.id, WitnessEvent.line).where(WitnessEvent.position > seen)
        lines, untold = list[str](), list[bytes]()
        for event_id, line in session.execute(query.order_by(WitnessEvent.position)).all():
            if self._tells(line.split()):
                lines.append(line)
            else:
                untold.append(event_id)
        # At once: in their order, they would tell who came first.
        for some in _parts(untold):
            session.execute(delete(WitnessEvent).where(WitnessEvent.id.in_(some)))
        for line in lines:
            match line.split():
                case ["again", week, segment]:
                    self.sent.begin_anew((week, segment))
        lines = lifts_first(session, lines)
        lines += mailing_lines(session, self.remembered)
        session.flush()
        return lines, (epoch.mark, instance.position)

    def _tells(self, words: list[str]) -> bool:
        """Tell whether a line is to be noted: a confirmation only where an end was noted before.

        What ended in these same lines is looked at in their order.
        """
        match words:
            case ["ended", row_id, segment, _] if segment != WHOLE:
                self.remembered.left.add((bytes.fromhex(row_id), segment))
            case ["confirmed", row_id, segment]:
                return (bytes.fromhex(row_id), segment) in self.remembered.left
        return True

    def compact(self) -> None:
        """Drop what no key could open any more, and old positions."""
        oldest, kept = oldest_day(self.keys_dir), self.remembered
        self.file.compact(lambda words: is_current(words, oldest))
        if kept.mark:
            self.file.append([f"position {kept.mark} {kept.position}"])


def mailing_lines(session: Session, remembered: Remembered) -> Iterator[str]:
    """Say what became of mailings that is not noted yet: launched, ended or recalled."""
    for week, segment, state in session.execute(
        select(Mailing.week, Mailing.segment, Mailing.state).order_by(Mailing.id)
    ):
        said = LAUNCHED if state in ON_THEIR_WAY else state
        if said == RECALLED and session.get(KnownLaunch, (week, segment)) is not None:
            continue  # that was before a launch that this database has forgotten
        if remembered.mailings.get((week, segment)) != said:
            yield f"mailing {week} {segment} {said}"


def everything(session: Session, today: date) -> Iterator[str]:
    """Return lines for all that the database knows: for a witness that begins, or has a gap."""
    ended = select(DeletedRow.id, DeletedRow.day).execution_options(yield_per=AT_ONCE)
    for row_id, day in session.execute(ended):
        yield f"ended {row_id.hex()} {WHOLE} {day}"
    query = select(Suppression.blind_index, Suppression.reason, Suppression.until)
    for index, reason, until in session.execute(query.execution_options(yield_per=AT_ONCE)):
        if until is None or until >= today:
            yield suppressed(index, reason, until)


def has_gap(session: Session, position: int) -> bool:
    """Tell whether events were forgotten that came after this position."""
    now = session.scalar(select(Instance.position)) or 0
    oldest = session.scalar(select(func.min(WitnessEvent.position)))
    return position < now and (oldest is None or oldest > position + 1)


def forget_events(session: Transaction, seen: int | None, *, now: datetime) -> None:
    """Forget what every sender has noted: through the position `seen`, if there is one sender only.

    Others that may be away for a while find it for some days.
    """
    if seen is not None:
        noted = WitnessEvent.position <= seen
    else:
        noted = WitnessEvent.position.is_not(None)
        noted &= WitnessEvent.day < (now - EVENTS_KEPT).date()
    session.execute(delete(WitnessEvent).where(noted))


def _parts(ids: list[bytes]) -> Iterator[list[bytes]]:
    return (ids[at : at + 500] for at in range(0, len(ids), 500))


def forget_deleted(session: Transaction, keys_dir: Path) -> None:
    """Forget rows that ended before any key that is here was made."""
    if (oldest := oldest_day(keys_dir)) is not None:
        session.execute(delete(DeletedRow).where(DeletedRow.day < oldest))
