"""The command `vestka`: its sub-commands, and how a refusal is told: one sentence and status 2."""

import sys

import typer

from app.cli import keys
from app.cli.migrating import migrate
from app.cli.serving import serve
from app.errors import Refusal
from app.journal import blot

commands = typer.Typer(
    name="vestka",
    help="A newsletter whose list cannot leak and whose books balance.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
commands.command()(serve)
commands.command()(migrate)
commands.add_typer(keys.commands, name="key")


def main() -> None:
    """Run the command given on the command line."""
    try:
        commands()
    except Refusal as refused:
        sys.stderr.write(f"vestka: {blot(str(refused))}\n")
        sys.exit(2)
