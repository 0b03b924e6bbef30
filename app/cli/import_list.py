"""`vestka subscribers import`: a list of readers who agreed elsewhere, taken in batch by batch.

Asks first where somebody who left could come back with it.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import Progress

from app.cli.app_context import CommandContext
from app.cli.output import AsJson, print_json, print_record
from app.cli.prompts import answer
from app.clock import Clock
from app.errors import DomainError
from app.key_rotation.file_state import KeyWatch
from app.operators.audit import note
from app.subscribers.imports.importing import Consent, foresee, may_bring_back, take_in
from app.subscribers.imports.list_batches import Listed, Tally, batches
from app.subscribers.imports.list_file import read_list

_ACTOR = "command line"


class ListUnreadable(DomainError):
    """The file to import cannot be read."""


class ListReadOnce(DomainError):
    """Readers were here before, so this list has to be read twice: give a file, or say --yes."""


class AnswerNeeded(DomainError):
    """There is nobody to ask."""


def import_(
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8: email,segments,language")],
    consent: Annotated[str, typer.Option(help="what these readers agreed to, and where")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask, add them")] = False,
    as_json: AsJson = False,
) -> None:
    """Take in a list of readers who have agreed already; no email is sent to them.

    Bad lines are reported and the rest is imported. It may be repeated: what is there stays.
    """
    words = Consent(consent)
    opened = CommandContext()
    with _opened_list(file) as source:
        if _should_import(opened, source, yes=yes, as_json=as_json):
            _import(opened, source, words, as_json=as_json)


@contextmanager
def _opened_list(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError:
        raise ListUnreadable from None
    with file:
        yield file


def _should_import(opened: CommandContext, file: BinaryIO, *, yes: bool, as_json: bool) -> bool:
    """Ask, if somebody who left could come back; nobody knows who they are."""
    with opened.database.reading() as session:
        asks = not yes and may_bring_back(session)
    if not asks:
        return True
    if not file.seekable():
        raise ListReadOnce
    tally = Tally()
    with _watched(opened, file, tally, "counting") as found:
        foresee(opened.database, found, tally, today=opened.clock.now().date())
    file.seek(0)
    if not tally.added + tally.changed:
        _report(tally, as_json=as_json)
        return False
    would = (
        f"New readers in this list: {tally.added}; known readers who would get a segment: "
        f"{tally.changed}. {_who_comes_back(opened)}"
    )
    if not sys.stdin.isatty():
        raise AnswerNeeded(f"Nothing was changed. {would} To import them, repeat with --yes.")
    if answer(f"{would} Import them? [y/N]").lower() not in ("y", "yes"):
        typer.echo("Nothing was changed.", err=True)
        raise typer.Exit(1)
    return True


def _who_comes_back(opened: CommandContext) -> str:
    if opened.settings.block_reimport_for is None:
        return "Whoever left since an earlier import is among them: nothing remembers who left."
    return "Whoever left longer ago than VESTKA_BLOCK_REIMPORT_FOR remembers is among them."


def _import(opened: CommandContext, file: BinaryIO, consent: Consent, *, as_json: bool) -> None:
    now = opened.clock.now()
    tally = Tally()
    # A change of keys waits for it: what it seals must be sealed anew before the old keys go.
    keys = KeyWatch(opened.database, opened.settings.keys_dir, "import", opened.keyring)
    keys.begin(now)
    try:
        with _watched(opened, file, tally, "importing") as found:
            said = _saying(keys, opened.clock, found)
            take_in(opened.database, opened.keyring, said, consent, tally, now=now)
    finally:
        keys.end()
    with opened.database.transaction() as session:
        done = f"{consent.version}: {tally.added} added, {tally.changed} changed"
        note(session, _ACTOR, "list imported", done, now=now)
    _report(tally, as_json=as_json)


def _saying(
    keys: KeyWatch, clock: Clock, found: Iterator[Sequence[Listed]]
) -> Iterator[Sequence[Listed]]:
    for batch in found:
        keys.renew(clock.now())
        yield batch


@contextmanager
def _watched(
    opened: CommandContext, file: BinaryIO, tally: Tally, doing: str
) -> Iterator[Iterator[Sequence[Listed]]]:
    """Yield the batches of the file, with a bar that shows how much of it is read."""
    size = file.seek(0, 2) if file.seekable() else None
    if size is not None:
        file.seek(0)
    rows = read_list(file, opened.newsletter)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(doing, total=size)

        def advancing() -> Iterator[Sequence[Listed]]:
            for batch in batches(rows, opened.keyring.index, opened.keyring.never, tally):
                yield batch
                if size is not None:
                    progress.update(task, completed=file.tell())

        yield advancing()


def _report(tally: Tally, *, as_json: bool) -> None:
    for bad in tally.bad_rows:
        typer.echo(f"line {bad.line}: {bad.reason}", err=True)
    if more := tally.bad - len(tally.bad_rows):
        typer.echo(f"and {more} more bad lines", err=True)
    if as_json:
        bad_lines = [{"line": bad.line, "reason": bad.reason} for bad in tally.bad_rows]
        print_json({**tally.as_record(), "bad_lines": bad_lines})
        return
    if not tally.added + tally.changed:
        typer.echo("There was nothing to add.")
    print_record(tally.as_record(), as_json=False)
