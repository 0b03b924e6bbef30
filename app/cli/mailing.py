"""`vestka mailing`: start one, watch it go, hold it, take it back, decide its doubts."""

from typing import Annotated, Any

import typer
from sqlalchemy import select

from app.cli.app_context import CommandContext
from app.cli.mailing_start import start
from app.cli.mailing_undo import BY, MailingId, cancel, recall, record_of, revise
from app.cli.output import AsJson, print_json, print_record, print_rows
from app.cli.progress_bar import follow
from app.deliveries.ledger.cancelling import resume_mailing
from app.deliveries.ledger.failed import list_failed, resend_failed
from app.deliveries.ledger.progress import as_record, as_records
from app.deliveries.ledger.states import OPEN
from app.deliveries.ledger.uncertain import list_uncertain
from app.deliveries.ledger.uncertain import resend as resend_doubts
from app.deliveries.ledger.uncertain import settle as settle_doubts
from app.errors import DomainError
from app.mailings import control
from app.mailings.launch import find_mailing
from app.mailings.models import Mailing
from app.operators.audit import note
from app.outcomes.statistics import outcomes_of

commands = typer.Typer(no_args_is_help=True, help="Mailings: start, watch, pause, take back.")
commands.command()(start)
commands.command()(cancel)
commands.command()(recall)
commands.command()(revise)


class BothWanted(DomainError):
    """--resend and --settle cannot both be wanted."""


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
    print_record(record_of(CommandContext(), mailing_id), as_json=as_json)


@commands.command()
def watch(mailing_id: MailingId, *, as_json: AsJson = False) -> None:
    """Watch a mailing until it stands still: finished, cancelled or paused."""
    opened = CommandContext()
    record = follow(lambda: record_of(opened, mailing_id))
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
    """Let a paused mailing go on; or a cancelled one, for those who have nothing yet."""
    opened = CommandContext()
    with opened.database.transaction() as session:
        life, now = opened.settings.retry_for, opened.clock.now()
        mailing = resume_mailing(session, mailing_id, life=life, now=now)
        note(session, BY, "mailing resumed", str(mailing_id), now=opened.clock.now())
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
        print_record({"mailing": mailing_id, "action": action, "messages": count}, as_json=as_json)
        return
    with opened.database.reading() as session:
        rows = [
            {"delivery": row.id, "relay": row.relay, "attempted_at": row.attempted_at}
            for row in list_uncertain(session, mailing_id)
        ]
    print_rows(rows, as_json=as_json, nothing="No email of this mailing is uncertain.")


@commands.command()
def failed(
    mailing_id: MailingId,
    *,
    resend: Annotated[
        bool, typer.Option("--resend", help="send again what failed by our own fault")
    ] = False,
    reason: Annotated[
        str | None, typer.Option("--reason", help="only what failed for this reason, as listed")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the emails that failed, by reason; or send again those that failed by our own fault."""
    opened = CommandContext()
    now = opened.clock.now()
    if resend:
        with opened.database.transaction() as session:
            count = resend_failed(session, mailing_id, reason, now=now)
            note(session, BY, "failed: resend", f"{mailing_id}: {count}", now=now)
        print_record(
            {"mailing": mailing_id, "action": "resend", "messages": count}, as_json=as_json
        )
        return
    with opened.database.reading() as session:
        rows = [each._asdict() for each in list_failed(session, mailing_id, now=now)]
    wanted = [row for row in rows if reason in (None, row["reason"])]
    print_rows(wanted, as_json=as_json, nothing="No email of this mailing failed.")


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
