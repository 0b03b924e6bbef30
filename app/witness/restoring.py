"""The start of an epoch: a database that was put back is told what it forgot, before anything goes.

Who left or objected stays away; every mailing that is not finished is paused; what was launched is
not launched again by itself; operators are told what was found.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice

from sqlalchemy import delete, or_, select
from sqlalchemy.engine import CursorResult

from app.database import Database, Transaction
from app.dialects import insert_if_absent
from app.instance.models import Epoch, WitnessEvent
from app.keys.generations import oldest_day
from app.log import get_logger
from app.mailings.commit_logging import tell
from app.mailings.models import KnownLaunch, Mailing
from app.mailings.states import ENROLLING, ON_THEIR_WAY, PAUSED, RECALLED, RUNNING, move
from app.operators.alerts import alert
from app.subscribers.models import DeletedRow, Subscriber, Subscription
from app.suppressions.suppressing import restore_suppression
from app.tokens import new_id
from app.witness.keeping import AT_ONCE, Witness, everything, has_gap
from app.witness.remembered import RECALLED as NOTED_RECALLED
from app.witness.remembered import MailingKey, ended_rows, remember
from app.witness.timeline import lock_position, newest_epoch

log = get_logger("witness")


@dataclass
class Found:
    """What a restored database had forgotten."""

    restored: bool = False
    left: int = 0
    suppressed: int = 0
    launches: list[str] = field(default_factory=list)
    paused: dict[int, Mailing] = field(default_factory=dict)
    settled: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say it to operators."""
        lines = [
            "The database was restored from a backup: the witness beside the keys knows more.",
            f"Subscriptions that had ended and ended again now: {self.left}.",
            f"Suppressions put back: {self.suppressed}.",
        ]
        lines += [self._of_mailing(each) for each in self.paused.values()]
        if self.launches:
            lines.append(
                f"Launched before, and unknown to this database: {', '.join(self.launches)}. The"
                " calendar does not launch them; `vestka mailing start --again` would, and says"
                " how many would get them twice."
            )
        return " ".join(lines)

    def _of_mailing(self, mailing: Mailing) -> str:
        known, open_ = self.settled.get(mailing.id, (0, 0))
        return (
            f"Mailing {mailing.id} ({mailing.week}, {mailing.segment}) is paused: {known} messages"
            f" are known to have gone since the backup and do not go again; of {open_} that are"
            " left, nobody knows of a copy. If a sender with another keys directory took part,"
            " start it first. Then look, and resume or cancel it."
        )


Settle = Callable[[Transaction, bool], Mapping[int, tuple[int, int]]]


def begin_epoch(database: Database, witness: Witness, settle: Settle, *, now: datetime) -> Found:
    """Begin an epoch; return what was found. Nothing may be sent before this returns.

    `settle` counts as sent what is known to have gone, given whether there was a restore, and
    returns for each mailing how many that were and how many are left.
    """
    with database.reading() as session:
        known = bool(witness.remembered.mark)
        behind = known and not witness.stands(session)
        gap = not known or has_gap(session, witness.remembered.position)
    if known and not behind:
        witness.keep_up(database, now=now)
    witness.remembered = remember(witness.file.lines())
    with database.transaction() as session:
        instance = lock_position(session)
        found = Found(restored=behind)
        _end_rows(session, witness, found)
        if found.restored:
            _forget_stale_events(session)
            _apply(session, witness, found, today=now.date())
        _block_launches(session, witness, found)
        session.flush()
        found.settled = settle(session, found.restored)
        before = newest_epoch(session)
        epoch = Epoch(
            number=before.number + 1 if before else 1,
            mark=new_id().hex(),
            began_at=instance.position,
            day=now.date(),
            found=str(found) if found.restored else None,
        )
        session.add(epoch)
        if found.restored:
            alert(session, f"restored-{epoch.mark}", str(found), now=now)
        at = epoch.mark, instance.position
    witness.compact()
    if gap or behind:
        _write_everything(database, witness, now.date())
    witness.write([], *at)
    log.info("epoch began", number=epoch.number, position=at[1], restored=found.restored)
    return found


def _write_everything(database: Database, witness: Witness, today: date) -> None:
    with database.reading() as session:
        lines = everything(session, today)
        while some := list(islice(lines, AT_ONCE)):
            witness.file.append(some)


def _end_rows(session: Transaction, witness: Witness, found: Found) -> None:
    """Delete again the rows that had ended and that the database had forgotten."""
    ended: Iterator[tuple[bytes, date]]
    ended = ended_rows(witness.file.lines(), oldest_day(witness.keys_dir))
    while some := dict(islice(ended, 500)):
        known = set(session.scalars(select(DeletedRow.id).where(DeletedRow.id.in_(some))))
        forgotten = some.keys() - known
        if not forgotten:
            continue
        found.restored = True
        rows = [{"id": each, "day": some[each]} for each in sorted(forgotten)]
        insert_if_absent(session, DeletedRow, rows)
        gone = delete(Subscriber).where(Subscriber.id.in_(forgotten))
        found.left += _count(session, gone)


def _apply(session: Transaction, witness: Witness, found: Found, *, today: date) -> None:
    for subscriber_id, segment in sorted(witness.remembered.left):
        theirs = Subscription.subscriber_id == subscriber_id, Subscription.segment == segment
        found.left += _count(session, delete(Subscription).where(*theirs))
    for (index, reason), until in witness.remembered.suppressed.items():
        if until is None or until >= today:
            found.suppressed += restore_suppression(session, index, reason, until=until)
    for mailing in session.scalars(
        select(Mailing).where(Mailing.state.in_(ON_THEIR_WAY)).with_for_update()
    ):
        if mailing.state in (ENROLLING, RUNNING):
            mailing.state = move(mailing.state, PAUSED)
            tell(session, "paused", mailing)
        found.paused[mailing.id] = mailing


def _forget_stale_events(session: Transaction) -> None:
    """What the backup had not told yet was told later, and may have been taken back since."""
    stale = or_(WitnessEvent.line.like("confirmed %"), WitnessEvent.line.like("lifted %"))
    session.execute(delete(WitnessEvent).where(WitnessEvent.position.is_(None), stale))


def _block_launches(session: Transaction, witness: Witness, found: Found) -> None:
    """Let nobody launch again unasked what was launched and is unknown to the database."""
    query = select(Mailing.week, Mailing.segment).where(Mailing.state != RECALLED)
    known: set[MailingKey] = {(week, segment) for week, segment in session.execute(query)}
    noted = witness.remembered.mailings.items()
    for week, segment in sorted(k for k, state in noted if state != NOTED_RECALLED):
        if (week, segment) not in known:
            row = {"week": week, "segment": segment, "sent": witness.sent.count((week, segment))}
            if insert_if_absent(session, KnownLaunch, [row]):
                found.launches.append(f"{week} to {segment}")


def _count(session: Transaction, statement: object) -> int:
    result: CursorResult[object] = session.execute(statement)  # type: ignore[call-overload]
    return result.rowcount
