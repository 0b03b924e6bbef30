"""`vestka mailing`: launch an issue to a segment, watch it go, hold it, decide its doubts."""

from datetime import timedelta
from typing import Annotated, Any

import typer
from sqlalchemy import select

from app.cli.app_context import CommandContext
from app.cli.output import AsJson, print_json, print_record, print_rows
from app.cli.progress_bar import follow
from app.deliveries.ledger.completion import exclude_rest
from app.deliveries.ledger.progress import as_record, as_records
from app.deliveries.ledger.reasons import CANCELLED_BY_OPERATOR
from app.deliveries.ledger.states import OPEN
from app.deliveries.ledger.uncertain import list_uncertain
from app.deliveries.ledger.uncertain import resend as resend_doubts
from app.deliveries.ledger.uncertain import settle as settle_doubts
from app.errors import DomainError
from app.issues.week import Week
from app.mailings import control
from app.mailings.launch import find_mailing, launch
from app.mailings.models import Mailing
from app.operators.audit import note
from app.outcomes.statistics import outcomes_of
from app.settings.values import InvalidValue, duration

commands = typer.Typer(no_args_is_help=True, help="Mailings: start, watch, pause, cancel.")
BY = "command line"

MailingId = Annotated[
    int, typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="the mailing's number")
]


class WindowWrong(DomainError):
    """--over is a duration such as 30m, 3h or 2d."""


class BothWanted(DomainError):
    """--resend and --settle cannot both be wanted."""


@commands.command()
def start(
    week: Annotated[str, typer.Argument(help="such as 2025-W04")],
    segment: Annotated[str, typer.Argument(help="such as be-ru")],
    over: Annotated[
        str | None, typer.Option(help="spread its emails over such a time: 30m, 3h, 2d")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Send the approved issue to the segment now. A second call shows the same mailing."""
    opened = CommandContext()
    parsed, found, now = Week.parse(week), opened.newsletter.segment(segment), opened.clock.now()
    window = opened.settings.send_window if over is None else window_of(over)
    with opened.database.transaction() as session:
        mailing, new = launch(session, parsed, found, by=BY, over=window, now=now)
        if new:
            note(session, BY, "mailing launched", f"{parsed} {found.id}", now=now)
        record = {"new": new, **as_record(session, mailing, now=opened.clock.now())}
    print_record(record, as_json=as_json)


def window_of(text: str) -> timedelta | None:
    """Read --over; None for no window. Raises WindowWrong."""
    try:
        return None if text == "0" else duration(text)
    except InvalidValue as wrong:
        raise WindowWrong(f"--over {wrong}, or 0 for none.") from None


@commands.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List all mailings with their balance, the newest first."""
    opened = CommandContext()
    with opened.database.reading() as session:
        mailings = session.scalars(select(Mailing).order_by(Mailing.id.desc())).all()
        rows: list[dict[str, Any]] = as_records(session, mailings, now=opened.clock.now())
    if not as_json:
        rows = [_narrow(row) for row in rows]
    print_rows(rows, as_json=as_json, nothing="There are no mailings.")


def _narrow(record: dict[str, Any]) -> dict[str, Any]:
    """Make a record fit a line of a terminal: `open` is what will still move by itself."""
    kept = {name: record[name] for name in ("id", "week", "segment", "state", "audience", "sent")}
    left = {"failed": record["failed"], "uncertain": record["uncertain"]}
    left["excluded"] = sum(record["excluded"].values())
    return {**kept, "open": sum(record[state] for state in OPEN), **left}


@commands.command()
def show(mailing_id: MailingId, *, as_json: AsJson = False) -> None:
    """Show one mailing and its balance."""
    print_record(_record(CommandContext(), mailing_id), as_json=as_json)


@commands.command()
def watch(mailing_id: MailingId, *, as_json: AsJson = False) -> None:
    """Watch a mailing until it stands still: finished, cancelled or paused."""
    opened = CommandContext()
    record = follow(lambda: _record(opened, mailing_id))
    print_record(record, as_json=as_json)


@commands.command()
def pause(mailing_id: MailingId, *, as_json: AsJson = False) -> None:
    """Stop the mailing where it stands."""
    opened = CommandContext()
    with opened.database.transaction() as session:
        mailing = control.pause(session, mailing_id)
        note(session, BY, "mailing paused", str(mailing_id), now=opened.clock.now())
        record = as_record(session, mailing, now=opened.clock.now())
    print_record(record, as_json=as_json)


@commands.command()
def resume(mailing_id: MailingId, *, as_json: AsJson = False) -> None:
    """Let a paused mailing go on."""
    opened = CommandContext()
    with opened.database.transaction() as session:
        mailing = control.resume(session, mailing_id)
        note(session, BY, "mailing resumed", str(mailing_id), now=opened.clock.now())
        record = as_record(session, mailing, now=opened.clock.now())
    print_record(record, as_json=as_json)


@commands.command()
def cancel(
    mailing_id: MailingId,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask first")] = False,
    as_json: AsJson = False,
) -> None:
    """End the mailing: whoever has not got the email is excluded, for good. Asks first."""
    opened = CommandContext()
    if not yes:
        _ask(_record(opened, mailing_id))
    now = opened.clock.now()
    with opened.database.transaction() as session:
        mailing = control.cancel(session, mailing_id, now=now)
        session.flush()
        exclude_rest(session, mailing_id, CANCELLED_BY_OPERATOR)
        note(session, BY, "mailing cancelled", str(mailing_id), now=now)
        record = as_record(session, mailing, now=opened.clock.now())
    print_record(record, as_json=as_json)


@commands.command()
def uncertain(
    mailing_id: MailingId,
    *,
    resend: Annotated[
        bool, typer.Option("--resend", help="send them again, with the same Message-ID")
    ] = False,
    settle: Annotated[bool, typer.Option("--settle", help="count them as sent")] = False,
    as_json: AsJson = False,
) -> None:
    """List the emails of which nobody knows whether the relay has them, or decide them all."""
    if resend and settle:
        raise BothWanted
    opened = CommandContext()
    if resend or settle:
        count = _decide(opened, mailing_id, resend=resend)
        action = "resend" if resend else "settle"
        print_record({"mailing": mailing_id, "action": action, "emails": count}, as_json=as_json)
        return
    with opened.database.reading() as session:
        rows = [
            {"delivery": row.id, "relay": row.relay, "attempted_at": row.attempted_at}
            for row in list_uncertain(session, mailing_id)
        ]
    print_rows(rows, as_json=as_json, nothing="No email of this mailing is uncertain.")


def _ask(record: dict[str, Any]) -> None:
    """Ask whether the rest shall really not get their email. Raises what ends the command."""
    waiting = sum(record[state] for state in OPEN)
    typer.confirm(
        f"{record['week']} to {record['segment']}: {waiting} emails are not sent yet, and never"
        " will be. Cancel the mailing?",
        abort=True,
        err=True,
    )


@commands.command()
def outcomes(mailing_id: MailingId, *, as_json: AsJson = False) -> None:
    """Show what came back: by class, reason and great provider, and what servers said."""
    opened = CommandContext()
    with opened.database.reading() as session:
        seen = outcomes_of(session, find_mailing(session, mailing_id))
    if as_json:
        print_json(seen)
        return
    tables = {name: seen.pop(name) for name in ("reasons", "providers", "diagnostics")}
    print_record(seen, as_json=False)
    providers = [
        {"provider": name, "came back": told} for name, told in tables["providers"].items()
    ]
    for rows in (tables["reasons"], providers, tables["diagnostics"]):
        if rows:
            typer.echo("")
            print_rows(rows, as_json=False, nothing="")


def _decide(opened: CommandContext, mailing_id: int, *, resend: bool) -> int:
    now = opened.clock.now()
    with opened.database.transaction() as session:
        if resend:
            count = resend_doubts(session, mailing_id, None, now=now)
        else:
            count = settle_doubts(session, mailing_id, None)
        action = "resend" if resend else "settle"
        note(session, BY, f"doubts: {action}", f"{mailing_id}: {count}", now=now)
    return count


def _record(opened: CommandContext, mailing_id: int) -> dict[str, Any]:
    with opened.database.reading() as session:
        return as_record(session, find_mailing(session, mailing_id), now=opened.clock.now())
