"""What `vestka doctor` says of what comes back: whether it can be collected, and is ours."""

from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

from app.cli.app_context import CommandContext
from app.cli.doctor.findings import Finding, database_finding, ok, warn
from app.cli.error_sentences import missing_right
from app.database import Database
from app.issues.week import Week
from app.outcomes.mailbox_poller import sources_of
from app.outcomes.statistics import since
from app.schema import is_current

_WEEKS = 4


def returns(opened: CommandContext) -> Iterator[Finding]:
    """Look into the mailboxes without changing them, and at what came back lately."""
    yield from _mailboxes(opened)
    try:
        database = Database(opened.settings.database_url)
        if database.is_sqlite and not opened.settings.data_dir.exists():
            return
        if is_current(database):
            yield _counted(opened, database)
        database.close()
    except SQLAlchemyError as error:
        if missing_right(error) is not None:  # all else the check of the database has said
            yield database_finding("bounces", error)


def _mailboxes(opened: CommandContext) -> Iterator[Finding]:
    for source in sources_of(opened.settings):
        try:
            waiting = source.waiting()
        except OSError:
            yield warn("bounces", f"the {source.name} mailbox cannot be read.")
        else:
            yield ok("bounces", f"the {source.name} mailbox can be read; {waiting} wait in it.")


def _counted(opened: CommandContext, database: Database) -> Finding:
    week = Week.of(opened.clock.now().date())
    for _ in range(_WEEKS):
        week = week.previous()
    with database.reading() as session:
        ours, foreign = since(session, str(week))
    said = f"{ours} emails came back in {_WEEKS} weeks; {foreign} reports proved nothing."
    if foreign > max(ours, 10):
        return warn("bounces", f"{said} Do they reach us by the return path's own address?")
    return ok("bounces", said)
