"""`vestka doctor` looks at the database: its schema, its books, its queue, and abuse it noted."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from app.cli.app_context import CommandContext
from app.cli.doctor.findings import Finding, database_finding, fail, ok, warn
from app.database import Database, wal_is_sound
from app.deliveries.ledger.models import Sender
from app.deliveries.ledger.progress import unbalanced
from app.rate_limits.refusals import REASONS, refused_since
from app.schema import is_current
from app.subscribers.models import SignUp

SECOND_LOOK = 3.0  # seconds; a sender admits sign-ups twice a second
APART = timedelta(seconds=5)


def database(opened: CommandContext) -> Iterator[Finding]:
    """See that the database answers and its schema is this version's; then what it holds."""
    found = Database(opened.settings.database_url)
    file = Path(found.url.database or "") if found.is_sqlite else None
    if file is not None and not file.exists():
        yield warn("database", "there is none yet; the first start makes it.")
        return
    with closing(found):
        yield from _looks(opened, found)


def _looks(opened: CommandContext, found: Database) -> Iterator[Finding]:
    try:
        if not is_current(found):
            yield fail("database", "its schema is not this version's; `vestka migrate` updates it.")
            return
        yield ok("database", "it answers, and its schema is current.")
    except SQLAlchemyError as error:
        yield database_finding("database", error)
        return
    looks: tuple[tuple[str, Callable[[], Finding]], ...] = (
        ("sqlite", partial(_journal_mode, found))
        if found.is_sqlite
        else ("clock", partial(_clocks, found, opened.clock.now())),
        ("books", partial(_books, found)),
        ("sender", partial(_queue, found, opened.clock.now())),
        ("attacks", partial(_attacks, found, opened.clock.now())),
    )
    for name, look in looks:
        try:
            yield look()
        except SQLAlchemyError as error:
            yield database_finding(name, error)


def _journal_mode(found: Database) -> Finding:
    with found.reading() as session:
        mode = session.scalar(text("PRAGMA journal_mode"))
    if wal_is_sound(sqlite3.sqlite_version_info) == (mode == "wal"):
        return ok("sqlite", f"version {sqlite3.sqlite_version} in journal mode {mode}.")
    return warn("sqlite", f"journal mode {mode} does not fit version {sqlite3.sqlite_version}.")


def _clocks(found: Database, now: datetime) -> Finding:
    with found.reading() as session:
        theirs = session.scalar(select(func.clock_timestamp()))
    apart = abs(theirs - now) if theirs else timedelta()
    if apart <= APART:
        return ok("clock", "this machine and the database agree.")
    seconds = f"{apart.total_seconds():.0f}"
    return fail("clock", f"this machine and the database are {seconds} seconds apart.")


def _books(found: Database) -> Finding:
    with found.reading() as session:
        wrong = unbalanced(session)
    if wrong:
        return fail("books", f"these mailings do not balance: {', '.join(map(str, wrong))}.")
    return ok("books", "every mailing balances.")


def _queue(found: Database, now: datetime) -> Finding:
    """Look twice: sign-ups hold no hour, but one that a sender leaves lying is a bad sign."""
    with found.reading() as session:
        lease = select(func.count()).where(Sender.lease_until > now)
        senders = session.scalar(lease) or 0
    waiting = _waiting(found)
    if waiting and senders:
        time.sleep(SECOND_LOOK)
        waiting &= _waiting(found)
    if waiting:
        why = "though a sender is running" if senders else "and no sender is running"
        return fail("sender", f"{len(waiting)} sign-ups wait, {why}.")
    if not senders:
        return warn("sender", "none is running; nothing is waiting for it.")
    return ok("sender", f"{senders} running, and no sign-up waits.")


def _attacks(found: Database, now: datetime) -> Finding:
    """Tell of abuse of the forms, yesterday and today (UTC)."""
    with found.reading() as session:
        counts = refused_since(session, now.date() - timedelta(days=1))
    told = [f"{times} {REASONS[reason]}" for reason, times in counts.items() if times]
    if told:
        return warn("attacks", f"since yesterday: {'; '.join(told)}.")
    return ok("attacks", "no request was refused for being too many since yesterday.")


def _waiting(found: Database) -> set[bytes]:
    with found.reading() as session:
        return set(session.scalars(select(SignUp.id).limit(10_000)))
