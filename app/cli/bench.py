"""`vestka bench`: measure this machine. Ratios of one run count; absolute times mean little."""

import importlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.output import AsJson, print_record

commands = typer.Typer(no_args_is_help=True, help="Measurements, from a checkout of the project.")


@commands.command()
def engine(
    letters: Annotated[int, typer.Option(min=1000, help="readers of the mailing")] = 20_000,
    rounds: Annotated[int, typer.Option(min=1, help="the median of so many counts")] = 3,
    database: Annotated[
        str | None, typer.Option(help="an empty PostgreSQL database (one round); else SQLite")
    ] = None,
    *,
    dkim: Annotated[bool, typer.Option("--dkim", help="sign every letter, RSA 2048")] = False,
    as_json: AsJson = False,
) -> None:
    """Send a mailing to smtp-sink by the whole sender, and compare with smtp-source (Postfix)."""
    root = str(Path(__file__).resolve().parents[2])
    if root not in sys.path:
        sys.path.append(root)
    measured = importlib.import_module("bench.engine").run(
        letters, 1 if database else rounds, url=database, dkim=dkim
    )
    print_record(measured, as_json=as_json)
