"""`vestka mailing cancel`, `recall` and `revise`: what operators do about a mistake."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.app_context import CommandContext
from app.cli.output import AsJson, print_record
from app.cli.prompts import confirm
from app.deliveries.ledger.cancelling import cancel_mailing
from app.deliveries.ledger.progress import as_record
from app.deliveries.ledger.states import OPEN
from app.deliveries.recalling import recall_mailing
from app.deliveries.revising import revise_mailing
from app.editions.freezing import EditionContext
from app.issues.approval import approved_segments
from app.issues.files import read_issue
from app.issues.folder import read_folder
from app.issues.week import Week
from app.mailings.launch import find_mailing
from app.operators.audit import note

BY = "command line"

MailingId = Annotated[
    int, typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="the mailing's number")
]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask first")]


def record_of(opened: CommandContext, mailing_id: int) -> dict[str, Any]:
    """Return a mailing with its balance. Raises MailingUnknown."""
    with opened.database.reading() as session:
        return as_record(session, find_mailing(session, mailing_id), now=opened.clock.now())


def cancel(mailing_id: MailingId, *, yes: Yes = False, as_json: AsJson = False) -> None:
    """End the mailing: whoever has nothing yet is excluded. Asks first.

    It can be resumed for them within its life (VESTKA_RETRY_FOR).
    """
    opened = CommandContext()
    record = record_of(opened, mailing_id)
    waiting = sum(record[state] for state in OPEN)
    confirm(
        f"{record['week']} to {record['segment']}: {waiting} emails are not sent yet, and will not"
        " be unless the mailing is resumed in time. Cancel the mailing?",
        yes=yes,
    )
    now = opened.clock.now()
    with opened.database.transaction() as session:
        mailing = cancel_mailing(session, mailing_id, now=now)
        note(session, BY, "mailing cancelled", str(mailing_id), now=now)
        record = as_record(session, mailing, now=opened.clock.now())
    print_record(record, as_json=as_json)


def recall(mailing_id: MailingId, *, yes: Yes = False, as_json: AsJson = False) -> None:
    """Undo the mailing while no message of it was attempted; its issue opens again. Asks first."""
    opened = CommandContext()
    record = record_of(opened, mailing_id)
    confirm(
        f"{record['week']} to {record['segment']}: undo this mailing ({record['state']}) and"
        " withdraw the issue's approval?",
        yes=yes,
    )
    now = opened.clock.now()
    record = recall_mailing(opened.database, mailing_id, by=BY, now=now)
    print_record(record, as_json=as_json)
    with opened.database.reading() as session:
        held = approved_segments(session, Week.parse(str(record["week"])))
    typer.echo(_after_recall(str(record["week"]), held), err=True)


def _after_recall(week: str, held: tuple[str, ...]) -> str:
    if held:
        return (
            f"The issue stays closed, because it was launched to {', '.join(held)}; what the"
            f" archive shows can be corrected (`vestka issue correct {week} FILE`)."
        )
    return (
        f"The issue is open again: change it (`vestka issue put`), approve it (`vestka issue"
        f" approve {week}`) and start it when it is right."
    )


def revise(
    mailing_id: MailingId,
    path: Annotated[Path, typer.Argument(help="the issue, whole: a JSON file or a folder")],
    *,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Store and approve the issue anew while its mailing is paused: the rest get the new edition.

    Asks first. Segments that it is approved for and was not launched to get it, too.
    """
    opened = CommandContext()
    before = record_of(opened, mailing_id)
    week = str(before["week"])
    content = (
        read_folder(path, opened.newsletter, week) if path.is_dir() else read_issue(path, week)
    )
    confirm(
        f"{week} to {before['segment']}: {before['sent']} readers have revision"
        f" {before['revision']} or an earlier one; approve this text as revision"
        f" {before['revision'] + 1} for those who have nothing yet?",
        yes=yes,
    )
    settings = opened.settings
    context = EditionContext(opened.newsletter, settings.public_url, settings.hosts_photos)
    now = opened.clock.now()
    record, found = revise_mailing(opened.database, context, mailing_id, content, by=BY, now=now)
    listed = {"findings": [asdict(each) for each in found]} if as_json else {}
    print_record({**record, **listed}, as_json=as_json)
    if not as_json:
        for each in found:
            typer.echo(f"{each.level}: {each}", err=True)
    typer.echo(f"Let it go on with `vestka mailing resume {mailing_id}`.", err=True)
