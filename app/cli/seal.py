"""`vestka seal`: the keys that seal the list: changed, kept safe elsewhere, put back, destroyed.

No secret is ever an argument or printed.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from app.cli.app_context import CommandContext
from app.cli.output import AsJson, print_record
from app.errors import DomainError
from app.key_rotation.rotation import Rotation
from app.keys.age import Recipients
from app.keys.destruction import destroy_all
from app.keys.escrow import escrow as write_escrow
from app.keys.escrow import restore as read_escrow
from app.operators.audit import note
from app.subscribers.integrity_scan import scan_all
from app.subscribers.list_export import private_file
from app.subscribers.quarantine import counts

commands = typer.Typer(no_args_is_help=True, help="The keys that seal the list.")
_ACTOR = "command line"
_TO = "age recipient (age1…); may be repeated, each can open it alone"
_PATIENCE = "seconds to wait for other processes and the inbox"


class EscrowUnreadable(DomainError):
    """The escrow or the identity file cannot be read."""


class PanicNotConfirmed(DomainError):
    """This destroys the list for good; it has to be confirmed at a terminal, or by --yes."""


@commands.command()
def rotate(
    *,
    patience: Annotated[float, typer.Option(min=0, help=_PATIENCE)] = 300,
    as_json: AsJson = False,
) -> None:
    """Make new keys, seal the list anew, destroy the old keys; or finish what was interrupted.

    The service goes on meanwhile. Backups and escrows of before are then of no use.
    """
    opened = CommandContext()
    database, clock = opened.database, opened.clock
    _ = opened.keyring  # there must be some, and they must be whole

    def tell(what: str) -> None:
        typer.echo(what, err=True)

    done = Rotation(database, opened.settings.keys_dir, clock, patience, tell).run()
    with database.transaction() as session:
        said = f"generation {done.generation}, {done.resealed} rows"
        note(session, _ACTOR, "keys rotated", said, now=clock.now())
    if done.kept:
        tell("kept for emails on their way, the sender destroys it later: " + ", ".join(done.kept))
    tell("Make a new escrow now: the old one opens nothing any more (`vestka seal escrow`).")
    print_record(
        {
            "generation": done.generation,
            "resealed": done.resealed,
            "flawed": done.flawed,
            "destroyed": done.destroyed,
            "kept": done.kept,
        },
        as_json=as_json,
    )


@commands.command()
def check(*, as_json: AsJson = False) -> None:
    """Open every row of the list, and set apart those that are flawed; 1 if there are any."""
    opened = CommandContext()
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("checking", total=None)
        looked = scan_all(
            opened.database,
            opened.keyring,
            now=opened.clock.now(),
            seen=lambda rows: progress.advance(task, rows),
        )
    with opened.database.reading() as session:
        flawed = {f"{kind}: {flaw}": count for (kind, flaw), count in counts(session).items()}
    print_record({"rows": looked, "flawed": flawed}, as_json=as_json)
    if flawed:
        raise typer.Exit(1)


@commands.command()
def escrow(
    to: Annotated[list[str], typer.Option(help=_TO)],
    out: Annotated[Path, typer.Option(help="a new file; keep it far from the database's backups")],
    *,
    as_json: AsJson = False,
) -> None:
    """Write all keys into one file that only the holder of the age identity can open."""
    recipients = Recipients(to)
    opened = CommandContext()
    _ = opened.keyring  # there must be some, and they must be whole
    now = opened.clock.now()
    with private_file(out) as file:
        names = write_escrow(opened.settings.keys_dir, recipients, file, today=now.date())
    with opened.database.transaction() as session:
        note(session, _ACTOR, "keys escrowed", f"{len(to)} recipients", now=now)
    print_record({"escrowed": names, "file": str(out)}, as_json=as_json)


@commands.command()
def restore(
    file: Annotated[Path, typer.Argument(help="what `vestka seal escrow` wrote")],
    identity: Annotated[Path, typer.Option(help="the identity file that `age-keygen` made")],
    *,
    as_json: AsJson = False,
) -> None:
    """Put the keys of an escrow into a keys directory that has none."""
    try:
        content, identities = file.read_bytes(), identity.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise EscrowUnreadable from None
    names = read_escrow(content, identities, CommandContext().settings.keys_dir)
    print_record({"restored": names}, as_json=as_json)


@commands.command()
def panic(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask, destroy them")] = False,
    as_json: AsJson = False,
) -> None:
    """Destroy the keys at once and for good: nobody can ever read the list again, nor any backup.

    Whatever runs with them ends within a second.
    """
    opened = CommandContext()
    keys_dir = opened.settings.keys_dir
    if not yes:
        _ask_for_panic(keys_dir)
    destroyed = destroy_all(keys_dir, today=opened.clock.now().date())
    print_record({"destroyed": destroyed}, as_json=as_json)


def _ask_for_panic(keys_dir: Path) -> None:
    if not sys.stdin.isatty():
        raise PanicNotConfirmed
    question = f"Destroy all keys in {keys_dir}, and with them the list? Type destroy to do it: "
    typer.echo(question, err=True, nl=False)
    if sys.stdin.readline(100).strip() != "destroy":
        typer.echo("Nothing was destroyed.", err=True)
        raise typer.Exit(1)
