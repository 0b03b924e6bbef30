"""`vestka seal`: the keys that seal the list: changed, kept safe elsewhere, put back, destroyed.

No secret is ever an argument or printed.
"""

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from app.cli.opening import Opened
from app.cli.output import AsJson, print_record
from app.operators.audit import note
from app.seals.rotation import Rotation
from app.subscribers.quarantine import counts
from app.subscribers.scrubbing import scrub_all

commands = typer.Typer(no_args_is_help=True, help="The keys that seal the list.")
_ACTOR = "command line"
_PATIENCE = "seconds to wait for other processes and the inbox"


@commands.command()
def rotate(
    *,
    patience: Annotated[float, typer.Option(min=0, help=_PATIENCE)] = 300,
    as_json: AsJson = False,
) -> None:
    """Make new keys, seal the list anew, destroy the old keys; or finish what was interrupted.

    The service goes on meanwhile. Backups and escrows of before are then of no use.
    """
    opened = Opened()
    database, clock = opened.database, opened.clock
    _ = opened.keyring  # there must be some, and they must be whole

    def tell(what: str) -> None:
        typer.echo(what, err=True)

    done = Rotation(database, opened.settings.keys_dir, clock, patience, tell).run()
    with database.transaction() as session:
        said = f"generation {done.generation}, {done.resealed} rows"
        note(session, _ACTOR, "keys rotated", said, now=clock.now())
    if done.kept:
        tell("kept for letters on their way, the sender destroys it later: " + ", ".join(done.kept))
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
    opened = Opened()
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("checking", total=None)
        looked = scrub_all(
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
