"""`vestka mailing start`: says who would get what by which relay, asks, and launches once."""

from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.cli.app_context import CommandContext
from app.cli.output import AsJson, print_record
from app.cli.prompts import confirm
from app.deliveries.dispatch.from_settings import relays_of
from app.deliveries.ledger.progress import as_record
from app.editions.freezing import editions_of
from app.errors import DomainError
from app.issues.week import Week
from app.mailings.launch import (
    AudienceEmpty,
    LaunchedBefore,
    check_launchable,
    launch_on_request,
    mailing_of,
    readers_of,
    twice_at_most,
)
from app.mailings.states import CANCELLED, ENROLLING, PAUSED, RUNNING
from app.newsletter import Segment
from app.operators.audit import note
from app.settings.values import InvalidValue, duration

BY = "command line"


class WindowWrong(DomainError):
    """--over is a duration such as 30m, 3h or 2d."""


def start(
    week: Annotated[str, typer.Argument(help="such as 2025-W04")],
    segment: Annotated[str, typer.Argument(help="such as be-ru")],
    over: Annotated[
        str | None, typer.Option(help="spread its emails over such a time: 30m, 3h, 2d")
    ] = None,
    *,
    again: Annotated[
        bool, typer.Option("--again", help="although it went out before a restore")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask first")] = False,
    as_json: AsJson = False,
) -> None:
    """Send the approved issue to the segment now. Says how many readers get what, and asks first.

    A second call shows the same mailing; its status is 0 only while that is on its way.
    """
    opened = CommandContext()
    parsed, found = Week.parse(week), opened.newsletter.segment(segment)
    window = opened.settings.send_window if over is None else window_of(over)
    with opened.database.reading() as session:
        known = mailing_of(session, parsed, found.id) is not None
        summary = "" if known else _summary(session, opened, parsed, found, again=again)
    if not known:
        typer.echo(summary, err=True)
        confirm("Send it now?", yes=yes)
    now = opened.clock.now()
    with opened.database.transaction() as session:
        mailing, new = launch_on_request(
            session, parsed, found, by=BY, again=again, over=window, now=now
        )
        if new:
            note(session, BY, "mailing launched", f"{parsed} {found.id}", now=now)
        record = {"new": new, **as_record(session, mailing, now=opened.clock.now())}
    print_record(record, as_json=as_json)
    if not new:
        typer.echo(_standing(record), err=True)
        if record["state"] not in (ENROLLING, RUNNING):
            raise typer.Exit(1)


def window_of(text: str) -> timedelta | None:
    """Read --over; None for no window. Raises WindowWrong."""
    try:
        return None if text == "0" else duration(text)
    except InvalidValue as wrong:
        raise WindowWrong(f"--over {wrong}, or 0 for none.") from None


def _summary(
    session: Session, opened: CommandContext, week: Week, segment: Segment, *, again: bool
) -> str:
    """Say what would go to how many, by which relay.

    Raises IssueUnknown, NotApproved, AudienceEmpty, or LaunchedBefore unless it goes `again`.
    """
    check_launchable(session, week, segment)
    readers = readers_of(session, segment.id)
    if not readers:
        raise AudienceEmpty(segment)
    twice = twice_at_most(session, week, segment)
    if twice is not None and not again:
        raise LaunchedBefore(week, segment, twice)
    warning = [] if twice is None else [f"It went out before: up to {twice} get it twice."]
    editions = editions_of(session, str(week), segment.id)
    subjects = [
        f"Subject ({language}): {editions[language].subject}"
        for language in segment.languages
        if language in editions
    ]
    return "\n".join(
        (
            f"Issue {week} to {segment.label} ({segment.id})",
            f"Readers: {readers}",
            *warning,
            *subjects,
            f"Relay: {_relays(opened, segment)}",
        )
    )


def _relays(opened: CommandContext, segment: Segment) -> str:
    """Name the relays that the segment's messages may go by, if this host knows them."""
    try:
        relays = relays_of(opened.settings, opened.newsletter)
    except DomainError:
        return "as set on the sender's host"
    return ", ".join(each.name for each in relays if each.takes_segment(segment.id)) or "none"


def _standing(record: dict[str, Any]) -> str:
    """Say where a mailing stands that was launched before, and what can be done."""
    state, number, week = record["state"], record["id"], record["week"]
    said = f"This was launched before: mailing {number} is {state}; nothing was done now."
    if state == PAUSED:
        return f"{said} Let it go on with `vestka mailing resume {number}`."
    if state in (ENROLLING, RUNNING):
        return f"{said} Follow it with `vestka mailing watch {number}`."
    if state == CANCELLED:
        return f"{said} Resume it with `vestka mailing resume {number}`."
    launched = _day(record["launched_at"])
    return (
        f"{said} It was launched on {launched}; nobody gets it twice. What the archive shows can be"
        f" corrected: `vestka issue correct {week} FILE`."
    )


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"
