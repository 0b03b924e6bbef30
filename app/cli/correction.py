"""`vestka issue correct` and `vestka issue versions`: what the archive shows, and showed before."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter
from sqlalchemy import select

from app.archive.correcting import correct as correct_issue
from app.archive.correcting import reinstate_commentary, withdraw_commentary
from app.cli.app_context import CommandContext
from app.cli.output import AsJson, print_record, print_rows
from app.cli.prompts import confirm
from app.deliveries.ledger.progress import as_records
from app.deliveries.ledger.states import OPEN
from app.editions.freezing import EditionContext
from app.editions.lint.rules import Finding
from app.errors import DomainError
from app.issues.corrections import ByLanguage
from app.issues.drafting import WeekDiffers, content_of
from app.issues.files import read_issue
from app.issues.folder import read_folder
from app.issues.models import IssueVersion
from app.issues.versions import find_version, list_versions
from app.issues.week import Week
from app.mailings.models import Mailing
from app.operators.audit import note as audit

BY = "command line"
_NOTE: TypeAdapter[dict[str, str]] = TypeAdapter(ByLanguage)

WeekName = Annotated[str, typer.Argument(metavar="WEEK", help="such as 2025-W04")]
SaidIn = "as LANGUAGE=TEXT, such as be=…; may be given for each language"


class OneAct(DomainError):
    """Give a file with --note, or --withdraw N with --reason, or --reinstate N with --note."""


class NoteUnreadable(DomainError):
    """A note or reason is LANGUAGE=TEXT, such as en="The rate was wrong."; each language once."""


def correct(
    week: WeekName,
    path: Annotated[
        Path | None, typer.Argument(help="the issue, whole and corrected: a JSON file or a folder")
    ] = None,
    note: Annotated[list[str] | None, typer.Option(help=f"what was corrected, {SaidIn}")] = None,
    withdraw: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="withdraw commentary N")
    ] = None,
    reason: Annotated[list[str] | None, typer.Option(help=f"why, {SaidIn}")] = None,
    reinstate: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="show commentary N again")
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask first")] = False,
    as_json: AsJson = False,
) -> None:
    """Correct what the archive shows of a launched issue, with a note that readers see. Asks first.

    No message is sent. Commentaries are counted from 1, as on the page.
    """
    acts = [path, withdraw, reinstate]
    if sum(act is not None for act in acts) != 1:
        raise OneAct
    if (withdraw is None) != (not reason) or (withdraw is None) == (not note):
        raise OneAct
    said = _read_note((reason if withdraw is not None else note) or [])
    opened, parsed = CommandContext(), Week.parse(week)
    settings = opened.settings
    context = EditionContext(opened.newsletter, settings.public_url, settings.hosts_photos)
    content = None
    if path is not None:
        is_folder = path.is_dir()
        content = (
            read_folder(path, opened.newsletter, week) if is_folder else read_issue(path, week)
        )
        if content.week != parsed:
            raise WeekDiffers(field="week")
    confirm(_question(parsed, withdraw, reinstate), yes=yes)
    now, found = opened.clock.now(), tuple[Finding, ...]()
    with opened.database.transaction() as session:
        if content is not None:
            issue, number, found = correct_issue(session, context, content, said, by=BY, now=now)
            act = "issue corrected"
        elif withdraw is not None:
            issue, number = withdraw_commentary(
                session, context, parsed, withdraw, said, by=BY, now=now
            )
            act = "commentary withdrawn"
        else:
            issue, number = reinstate_commentary(
                session, context, parsed, reinstate or 0, said, by=BY, now=now
            )
            act = "commentary reinstated"
        audit(session, BY, act, f"{parsed} version {number}", now=now)
        record = {"week": issue.week, "version": number, "etag": issue.etag}
        unsent = _unsent(session, opened, parsed)
    listed = {"findings": [asdict(each) for each in found]} if as_json else {}
    print_record({**record, **listed}, as_json=as_json)
    for said_besides in (*(f"{each.level}: {each}" for each in found), *unsent):
        typer.echo(said_besides, err=True)


def _read_note(given: Sequence[str]) -> dict[str, str]:
    """Read LANGUAGE=TEXT. Raises NoteUnreadable, or ValidationError for a text that is none."""
    pairs = [each.partition("=") for each in given]
    if any(not (language and sign) for language, sign, _ in pairs):
        raise NoteUnreadable
    if len({language for language, _, _ in pairs}) < len(pairs):
        raise NoteUnreadable
    return _NOTE.validate_python({language: text for language, _, text in pairs})


def _question(week: Week, withdraw: int | None, reinstate: int | None) -> str:
    if withdraw is not None:
        return f"Withdraw commentary {withdraw} of {week} from the archive?"
    if reinstate is not None:
        return f"Show commentary {reinstate} of {week} in the archive again?"
    return f"Show this text of {week} in the archive, with the note?"


def _unsent(session: Any, opened: CommandContext, week: Week) -> list[str]:
    """Say which mailings still send the text as it was: a correction changes no message."""
    mailings = session.scalars(select(Mailing).where(Mailing.week == str(week))).all()
    return [
        f"Mailing {each['id']} ({each['segment']}) is {each['state']} and still sends the earlier"
        f" text: pause it and revise it (`vestka mailing revise {each['id']} FILE`)."
        for each in as_records(session, mailings, now=opened.clock.now())
        if any(each[state] for state in OPEN)
    ]


def versions(
    week: WeekName,
    version: Annotated[
        int | None, typer.Option(min=1, max=2**31 - 1, help="show this one, whole")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the versions of a launched issue, the newest first; with --version, show one."""
    opened, parsed = CommandContext(), Week.parse(week)
    with opened.database.reading() as session:
        if version is None:
            rows = [_summary(each) for each in list_versions(session, parsed)]
            print_rows(rows, as_json=as_json, nothing="This issue was never changed.")
            return
        found = find_version(session, parsed, version)
        content = content_of(found).model_dump(mode="json", exclude_none=True)
        print_record({**_summary(found), "content": content}, as_json=as_json)


def _summary(version: IssueVersion) -> dict[str, object]:
    return {
        "version": version.version,
        "kind": version.kind,
        "made_at": version.made_at,
        "made_by": version.made_by,
    }
