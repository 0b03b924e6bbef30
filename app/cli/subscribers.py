"""`vestka subscribers`: the list in and out, a reader erased, and how many there are.

No address is ever an argument: arguments are seen by everyone on the machine and kept in histories.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import Progress

from app.cli.asking import MAX_TYPED, read_address
from app.cli.opening import Opened
from app.cli.output import AsJson, print_json, print_record, print_rows
from app.errors import Refusal
from app.operators.audit import note
from app.subscribers.erasing import erase_address
from app.subscribers.exporting import export as write_list
from app.subscribers.exporting import private_file
from app.subscribers.importing import Consent, foresee, may_bring_back, take_in
from app.subscribers.list_batches import Listed, Tally, batches
from app.subscribers.list_file import read_list
from app.subscribers.roster import counts

commands = typer.Typer(no_args_is_help=True, help="The list of subscribers.")
_ACTOR = "command line"


class ListUnreadable(Refusal):
    """The file to import cannot be read."""


class ListReadOnce(Refusal):
    """Readers were here before, so this list has to be read twice: give a file, or say --yes."""


class AnswerNeeded(Refusal):
    """There is nobody to ask."""


class OnlyPlain(Refusal):
    """A sealed export does not exist yet: --plain writes all addresses in plain text."""


class PlainNotConfirmed(Refusal):
    """An export in plain text has to be confirmed: at a terminal, or by --yes-i-understand."""


class JsonNeedsFile(Refusal):
    """With --json the list itself goes to a file: name it with --out."""


@commands.command()
def count(*, as_json: AsJson = False) -> None:
    """Count the readers of each segment, and those who left."""
    opened = Opened()
    with opened.database.reading() as session:
        rows = counts(session, opened.newsletter)
    print_rows(rows, as_json=as_json, nothing="There are no segments.")


@commands.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8: email,segments,language")],
    consent: Annotated[str, typer.Option(help="what these readers agreed to, and where")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask, add them")] = False,
    as_json: AsJson = False,
) -> None:
    """Take in a list of readers who have agreed already; no letter is sent to them.

    Bad lines are reported and the rest is imported. It may be repeated: what is there stays.
    """
    words = Consent(consent)
    opened = Opened()
    with _opened_list(file) as source:
        if _should_import(opened, source, yes=yes, as_json=as_json):
            _import(opened, source, words, as_json=as_json)


def _answer(question: str) -> str:
    """Ask on standard error; standard output may be the list, and takes not even a space."""
    typer.echo(f"{question} ", err=True, nl=False)
    return sys.stdin.readline(MAX_TYPED).strip()


@contextmanager
def _opened_list(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError:
        raise ListUnreadable from None
    with file:
        yield file


def _should_import(opened: Opened, file: BinaryIO, *, yes: bool, as_json: bool) -> bool:
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
    if _answer(f"{would} Import them? [y/N]").lower() not in ("y", "yes"):
        typer.echo("Nothing was changed.", err=True)
        raise typer.Exit(1)
    return True


def _who_comes_back(opened: Opened) -> str:
    if opened.settings.tombstones is None:
        return "Whoever left since an earlier import is among them: nothing remembers who left."
    return "Whoever left longer ago than VESTKA_TOMBSTONES remembers is among them."


def _import(opened: Opened, file: BinaryIO, consent: Consent, *, as_json: bool) -> None:
    now = opened.clock.now()
    tally = Tally()
    with _watched(opened, file, tally, "importing") as found:
        take_in(opened.database, opened.keyring, found, consent, tally, now=now)
    with opened.database.transaction() as session:
        done = f"{consent.version}: {tally.added} added, {tally.changed} changed"
        note(session, _ACTOR, "list imported", done, now=now)
    _report(tally, as_json=as_json)


@contextmanager
def _watched(
    opened: Opened, file: BinaryIO, tally: Tally, doing: str
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


@commands.command()
def export(
    *,
    plain: Annotated[bool, typer.Option("--plain", help="in plain text")] = False,
    out: Annotated[Path | None, typer.Option(help="a new file; else standard output")] = None,
    understood: Annotated[
        bool, typer.Option("--yes-i-understand", help="answers both questions")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write all confirmed readers as CSV, as `import` reads it. Asks twice; is audited."""
    if not plain:
        raise OnlyPlain
    if as_json and out is None:
        raise JsonNeedsFile
    opened = Opened()
    if not understood:
        _ask_twice()
    with private_file(out) if out else nullcontext(sys.stdout) as file:
        with opened.database.transaction() as session:  # before the deed: it may be cut short
            note(session, _ACTOR, "list exported", "in plain text", now=opened.clock.now())
        done = write_list(opened.database, opened.keyring, opened.newsletter, file)
    if as_json:
        print_json({"exported": done.written, "damaged": done.damaged})
        return
    typer.echo(f"exported: {done.written}", err=True)
    if done.damaged:
        typer.echo(f"left out, because the row is flawed: {done.damaged}", err=True)


def _ask_twice() -> None:
    if not sys.stdin.isatty():
        raise PlainNotConfirmed
    for question in (
        "This writes every reader's address in plain text. Type yes to go on:",
        "Whoever gets that file can harm these readers. Type yes to write it:",
    ):
        if _answer(question) != "yes":
            typer.echo("Nothing was written.", err=True)
            raise typer.Exit(1)


@commands.command()
def erase(*, as_json: AsJson = False) -> None:
    """Erase everything about the address given on standard input."""
    address = read_address("Address to erase: ")
    opened = Opened()
    now = opened.clock.now()
    with opened.database.transaction() as session:
        erased = erase_address(session, opened.keyring, address, today=now.date())
        note(session, _ACTOR, "erasure", "erased" if erased else "not subscribed", now=now)
    if as_json:
        print_json({"erased": erased})
    else:
        typer.echo("erased" if erased else "not subscribed")
