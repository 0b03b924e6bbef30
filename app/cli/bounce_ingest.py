"""Taking in what came back from the command line: an MTA's pipe, or files at hand.

To an MTA a failure must be a temporary one (sysexits.h, EX_TEMPFAIL): it keeps the message and
tries again; any other status would throw a bounce away.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import typer
from sqlalchemy.exc import SQLAlchemyError

from app.cli.app_context import CommandContext
from app.cli.output import print_json, print_rows
from app.errors import DomainError
from app.log import redact
from app.mail.reports.parts import LARGEST
from app.outcomes.ingest import Ingest, taker_of
from app.outcomes.processing import Processed
from app.settings import BouncePolicy, Thresholds

TEMPFAIL = 75

# Where Postfix (local, pipe) and Exim (pipe) say whom the message was for.
_RECIPIENT = ("ORIGINAL_RECIPIENT", "RECIPIENT")


def take_in(messages: Iterable[bytes], recipient: str, *, as_json: bool) -> None:
    """Take in each message, and say what became of it."""
    found = [recipient, *(os.environ.get(name, "") for name in _RECIPIENT)]
    try:
        opened = CommandContext()
        links = opened.public_keys.links
        taker = taker_of(opened.settings, opened.newsletter, links)
        loops = opened.settings.feedback_loops
        intake = Ingest(opened.database, opened.clock, taker, loops)
        for raw in messages:
            _say(intake.message(raw, list(filter(None, found))), as_json=as_json)
    except (DomainError, SQLAlchemyError, OSError) as failed:
        why = str(failed) if isinstance(failed, DomainError) else "it cannot be taken in now"
        typer.echo(f"vestka: {redact(why)}; try again later", err=True)
        raise typer.Exit(TEMPFAIL) from None


def from_input() -> Iterator[bytes]:
    """Yield the message on standard input, and read it to its end: an MTA minds a broken pipe."""
    raw = sys.stdin.buffer.read(LARGEST)
    while sys.stdin.buffer.read(LARGEST):
        continue
    yield raw


def from_files(paths: Iterable[Path]) -> Iterator[bytes]:
    """Yield the first megabyte of each file. Raises OSError."""
    for path in paths:
        with path.open("rb") as file:
            yield file.read(LARGEST)


def _say(taken: Processed, *, as_json: bool) -> None:
    if as_json:
        print_json({"became": taken.became, "class": taken.class_, "reason": taken.reason})
    else:
        typer.echo(f"{taken.class_} ({taken.reason}): {taken.became}")


def show_consequences(rules: BouncePolicy, pauses: Thresholds, *, as_json: bool) -> None:
    """Print the one table of what follows from what comes back."""
    rows = [{"class": class_, "follows": follows} for class_, follows in _table(rules, pauses)]
    print_rows(rows, as_json=as_json, nothing="")


def _table(rules: BouncePolicy, pauses: Thresholds) -> Iterator[tuple[str, str]]:
    dead = f"the reader ends, and is suppressed for {rules.dead_days} days"
    yield "hard, sure", f"at once: {dead}" if rules.sure else "as hard"
    yield "hard", f"in {rules.hard} issues in a row: {dead}" if rules.hard else "nothing"
    soft = f"in {rules.soft} issues in a row and {rules.soft_days} days: {dead}"
    yield "soft", soft if rules.soft else "nothing"
    yield "complaint", "at once: the reader ends, and is suppressed for ever"
    yield "block", "operators are told; no reader is touched"
    yield "auto, delayed, delivered, unknown", "counted"
    for name in ("complaint", "hard", "block"):
        share: float = getattr(pauses, name)
        paused = f"the mailing pauses, if they are {pauses.least} at least"
        yield f"{name} ≥ {share:.1%}", paused if share else "nothing"
