"""What `vestka doctor` looks at, one function per thing; none of them makes or changes anything."""

import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from app.addresses.keyfiles import KeyMissing, key_names
from app.addresses.keys import Keyring, PublicKeys, check_apart
from app.allowances.refusals import REASONS, refused_since
from app.cli.dns_check import domains
from app.cli.opening import Opened
from app.cli.relay_check import relays
from app.cli.seal_check import seals
from app.cli.signing_check import signing
from app.cli.verdicts import Finding, fail, ok, warn
from app.database import Database, wal_is_sound
from app.deliveries.models import Sender
from app.deliveries.outfit import relays_of
from app.deliveries.progress import unbalanced
from app.errors import Refusal
from app.mailings.calendar import parse_schedule
from app.migrating import is_current
from app.settings import SettingWrong, naming
from app.subscribers.models import SignUp

SECOND_LOOK = 3.0  # seconds; a sender admits sign-ups twice a second
APART = timedelta(seconds=5)


def settings(opened: Opened) -> Iterator[Finding]:
    """Read every setting, and the newsletter's file."""
    readings: list[Callable[[], object]] = [
        partial(getattr, opened.settings, knob.attribute) for knob in opened.settings.knobs()
    ]
    readings += [
        lambda: opened.newsletter,
        lambda: _schedules(opened),
        lambda: relays_of(opened.settings),
    ]
    wrong = [_sentence(unknown) for unknown in opened.settings.unknown()]
    for reading in readings:
        try:
            reading()
        except SettingWrong as refused:
            wrong.append(_sentence(refused))
    # One that others take their default from would be named once for each of them.
    yield from (fail("settings", sentence) for sentence in dict.fromkeys(wrong))
    if not wrong:
        yield ok("settings", "all can be read.")


def _sentence(refused: Refusal) -> str:
    return str(refused).rstrip(".") + "."


def _schedules(opened: Opened) -> object:
    with naming("VESTKA_SCHEDULE"):
        return parse_schedule(opened.settings.schedule, opened.newsletter)


def keys(opened: Opened) -> Iterator[Finding]:
    """See that the keys are whole, private, and apart from the data."""
    keys_dir, data_dir = opened.settings.keys_dir, opened.settings.data_dir
    try:
        check_apart(keys_dir, data_dir)
        if not key_names(keys_dir):
            yield warn("keys", "there are none yet; the first start makes them.")
            return
        yield _loaded(keys_dir)
    except Refusal as refused:
        yield fail("keys", _sentence(refused))
        return
    yield from _private("keys", keys_dir)


def _loaded(keys_dir: Path) -> Finding:
    PublicKeys.load(keys_dir)
    try:
        Keyring.load(keys_dir)
    except KeyMissing:
        if {name.kind for name in key_names(keys_dir)} & {("list", "key"), ("index", "key")}:
            raise
        return ok("keys", "only those of the public role are here.")
    return ok("keys", "the set is whole, readable by its owner alone, and apart from the data.")


def _private(check: str, folder: Path) -> Iterator[Finding]:
    if folder.exists() and folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield warn(check, "the directory is open to others than its owner; use mode 0700.")


def data(opened: Opened) -> Iterator[Finding]:
    """See that the data directory is its owner's alone."""
    folder = opened.settings.data_dir
    if not folder.exists():
        yield warn("data", "there is no data directory yet; the first start makes it.")
        return
    yield from list(_private("data", folder)) or [ok("data", "its directory is private.")]


def database(opened: Opened) -> Iterator[Finding]:
    """See that the database answers and its schema is this version's; then what it holds."""
    found = Database(opened.settings.database_url)
    file = Path(found.url.database or "") if found.is_sqlite else None
    if file is not None and not file.exists():
        yield warn("database", "there is none yet; the first start makes it.")
        return
    try:
        if not is_current(found):
            yield fail("database", "its schema is not this version's; `vestka migrate` updates it.")
            return
        yield ok("database", "it answers, and its schema is current.")
        yield _journal_mode(found) if found.is_sqlite else _clocks(found, opened.clock.now())
        yield _books(found)
        yield _queue(found, opened.clock.now())
        yield _attacks(found, opened.clock.now())
    except SQLAlchemyError:
        yield fail("database", "it does not answer.")
    finally:
        found.close()


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


def recipients(opened: Opened) -> Iterator[Finding]:
    """Tell whether the safety catch is on."""
    allowed = opened.settings.recipients
    if allowed.everyone:
        yield ok("recipients", "everyone may be written to.")
    elif allowed.only:
        yield warn("recipients", f"VESTKA_RECIPIENTS allows {len(allowed.only)} addresses only.")
    else:
        yield warn("recipients", "VESTKA_RECIPIENTS allows nobody to be written to.")


Check = Callable[[Opened], Iterator[Finding]]
ONLINE: tuple[Check, ...] = (relays, domains)
ALL: tuple[Check, ...] = (
    settings,
    keys,
    data,
    database,
    seals,
    relays,
    signing,
    domains,
    recipients,
)
