"""`vestka subscribers`: the list in and out, a reader erased, and how many there are.

No address is ever an argument: arguments are seen by everyone on the machine and kept in histories.
"""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from app.cli.app_context import CommandContext
from app.cli.import_list import import_
from app.cli.output import AsJson, print_json, print_rows
from app.cli.prompts import answer, confirm, read_address
from app.errors import DomainError
from app.key_rotation.key_users import refuse_behind
from app.keys.age import Recipients
from app.operators.audit import note
from app.subscribers.counts import counts
from app.subscribers.erasure import erase_address
from app.subscribers.list_export import export as write_list
from app.subscribers.list_export import export_for, private_file

commands = typer.Typer(no_args_is_help=True, help="The list of subscribers.")
_ACTOR = "command line"
_TO = "age recipient who alone can read it; may be repeated"


class ToOrPlain(DomainError):
    """Say for whom: --to an age recipient who alone can read it, or --plain for everybody."""


class PlainNotConfirmed(DomainError):
    """An export in plain text has to be confirmed: at a terminal, or by --yes-i-understand."""


class JsonNeedsFile(DomainError):
    """With --json the list itself goes to a file: name it with --out."""


@commands.command()
def count(*, as_json: AsJson = False) -> None:
    """Count the readers of each segment, and those who left."""
    opened = CommandContext()
    with opened.database.reading() as session:
        rows = counts(session, opened.newsletter)
    print_rows(rows, as_json=as_json, nothing="There are no segments.")


commands.command("import")(import_)


@commands.command()
def export(
    *,
    to: Annotated[list[str] | None, typer.Option(help=_TO)] = None,
    plain: Annotated[bool, typer.Option("--plain", help="in plain text")] = False,
    out: Annotated[Path | None, typer.Option(help="a new file; else standard output")] = None,
    understood: Annotated[
        bool, typer.Option("--yes-i-understand", help="answers both questions")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write all confirmed readers as CSV, as `import` reads it; encrypted with --to. Is audited.

    In plain text it asks twice.
    """
    if plain == bool(to):
        raise ToOrPlain
    if as_json and out is None:
        raise JsonNeedsFile
    recipients = Recipients(to) if to else None
    opened = CommandContext()
    if plain and not understood:
        _ask_twice()
    with private_file(out) if out else nullcontext(sys.stdout.buffer) as file:
        how = "encrypted" if recipients else "in plain text"
        with opened.database.transaction() as session:  # before the deed: it may be cut short
            note(session, _ACTOR, "list exported", how, now=opened.clock.now())
        facts = (opened.database, opened.keyring, opened.newsletter, file)
        done = export_for(recipients, *facts) if recipients else write_list(*facts)
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
        if answer(question) != "yes":
            typer.echo("Nothing was written.", err=True)
            raise typer.Exit(1)


@commands.command()
def erase(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask first")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase everything about the address given on standard input. Asks first at a terminal.

    An address that a program gives is not asked about: it was given for this alone.
    """
    address = read_address("Address to erase: ")
    if sys.stdin.isatty():
        confirm("Erase everything about this address, for good?", yes=yes)
    opened = CommandContext()
    now, keyring = opened.clock.now(), opened.keyring
    with opened.database.transaction() as session:
        erased = erase_address(session, keyring, address, today=now.date())
        # No rotation waits for a command: with keys that became old meanwhile, nobody is found.
        refuse_behind(session, keyring.generation)
        note(session, _ACTOR, "erasure", "erased" if erased else "not subscribed", now=now)
    if as_json:
        print_json({"erased": erased})
    else:
        typer.echo("erased" if erased else "not subscribed")
