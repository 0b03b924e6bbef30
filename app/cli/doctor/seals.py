"""What `vestka doctor` says of the sealed rows: those set apart, and a look at the list itself."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.addresses.keyring import Keyring
from app.cli.app_context import CommandContext
from app.cli.doctor.findings import Finding, database_finding, fail, ok, warn
from app.cli.error_sentences import missing_right
from app.database import Database
from app.errors import DomainError
from app.instance.models import Epoch
from app.keys.escrow import escrowed_generation
from app.schema import is_current
from app.subscribers.quarantine import counts
from app.subscribers.row_integrity import Flaw, open_selected, rows

# Opening one takes some fifty microseconds.
LOOKED_AT = 20_000
TOLD_FOR = timedelta(days=30)


def seals(opened: CommandContext) -> Iterator[Finding]:
    """Tell of rows that were changed, planted or put back; changes nothing."""
    try:
        database = Database(opened.settings.database_url)
        if database.is_sqlite and not Path(database.url.database or "").exists():
            return
        if is_current(database):
            yield _set_apart(database)
            yield from _restored(database, opened.clock.now().date())
            yield from _looked_at(opened, database)
        database.close()
    except SQLAlchemyError as error:
        if missing_right(error) is not None:  # all else the check of the database has said
            yield database_finding("seals", error)


def escrow(opened: CommandContext) -> Iterator[Finding]:
    """Tell whether the keys in use are kept elsewhere, too."""
    keys_dir = opened.settings.keys_dir
    try:
        generation = Keyring.load(keys_dir).generation
    except DomainError:
        return
    if escrowed_generation(keys_dir) == generation:
        yield ok("escrow", "the keys in use were escrowed.")
    else:
        yield warn("escrow", "the keys in use are kept nowhere else; see `vestka seal escrow`.")


def _set_apart(database: Database) -> Finding:
    with database.reading() as session:
        found = counts(session)
    if not found:
        return ok("quarantine", "no row is set apart.")
    told = [f"{count} {kind}s ({flaw})" for (kind, flaw), count in sorted(found.items())]
    return fail("quarantine", f"set apart, and never written to: {', '.join(told)}.")


def _restored(database: Database, today: date) -> Iterator[Finding]:
    """Tell what a sender found when the database had been put back, for a month."""
    query = select(Epoch).where(Epoch.found.is_not(None), Epoch.day >= today - TOLD_FOR)
    with database.reading() as session:
        epoch = session.scalar(query.order_by(Epoch.number.desc()).limit(1))
    if epoch is not None:
        yield warn("restore", f"{epoch.day}: {epoch.found}")


def _looked_at(opened: CommandContext, database: Database) -> Iterator[Finding]:
    try:
        keyring = Keyring.load(opened.settings.keys_dir)
    except DomainError:
        return  # this host cannot open any, and the check of the keys has said what is wrong
    with database.reading() as session:
        found = session.execute(rows().limit(LOOKED_AT)).all()
    flawed = sum(isinstance(open_selected(keyring, row), Flaw) for row in found)
    if flawed:
        yield fail("seals", f"of {len(found)} rows of the list looked at, flawed: {flawed}.")
    elif len(found) == LOOKED_AT:
        yield warn("seals", f"{LOOKED_AT} rows are whole; `vestka seal check` looks at all.")
    else:
        yield ok("seals", f"all rows of the list open: {len(found)}.")
