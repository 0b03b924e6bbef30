"""The command `vestka`: its sub-commands, and how a refusal is told: one sentence and status 2."""

import importlib
import sys

import typer
from typer.exceptions import TyperException

from app.errors import DomainError
from app.log import redact

# Each command's module is imported when it is asked for: a sender needs no browser, and a bounce
# that is piped in shall not wait for what it does not use.
COMMANDS = {
    "serve": "app.cli.serving",
    "demo": "app.cli.demo",
    "migrate": "app.cli.migrate",
    "doctor": "app.cli.doctor.command",
    "bounce": "app.cli.bounce",
}
GROUPS = {
    "bench": "app.cli.bench",
    "issue": "app.cli.issue",
    "photo": "app.cli.photo",
    "mailing": "app.cli.mailing",
    "key": "app.cli.keys",
    "dkim": "app.cli.dkim",
    "domain": "app.cli.domain",
    "seal": "app.cli.seal",
    "subscribers": "app.cli.subscribers",
    "suppression": "app.cli.suppression",
}


def commands_for(verb: str) -> typer.Typer:
    """Return the program with this command; with all of them if there is none of this name."""
    commands = typer.Typer(
        name="vestka",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        rich_markup_mode=None,
    )
    commands.callback(help="A newsletter whose list cannot leak and whose books balance.")(_nothing)
    known = verb in COMMANDS or verb in GROUPS
    for name, module in COMMANDS.items():
        if name == verb or not known:
            commands.command(name)(getattr(importlib.import_module(module), name))
    for name, module in GROUPS.items():
        if name == verb or not known:
            commands.add_typer(importlib.import_module(module).commands, name=name)
    return commands


def _nothing() -> None:
    """Keep a program with one command from being that command."""


def main() -> None:
    """Run the command given on the command line."""
    try:
        commands = commands_for(next(iter(sys.argv[1:]), ""))
        status = commands(prog_name="vestka", standalone_mode=False)
    except DomainError as refused:
        _refuse(str(refused))
    except TyperException as wrong:
        if not wrong.format_message().startswith("Usage:"):
            _refuse(usage_sentence(wrong))
        typer.echo(wrong.format_message(), err=True)  # nothing was asked: this is the help
        sys.exit(2)
    except typer.Abort:
        _refuse("Nothing was done.", status=1)
    except Exception as error:
        # Imported only now: it loads the web and the database, which not every process needs.
        sentences = importlib.import_module("app.cli.error_sentences")
        said: tuple[str, int] | None = sentences.sentence_for(error)
        if said is None:
            raise
        _refuse(*said)
    sys.exit(status if isinstance(status, int) else 0)


def _refuse(sentence: str, status: int = 2) -> None:
    sys.stderr.write(f"vestka: {redact(sentence)}\n")
    sys.exit(status)


def usage_sentence(wrong: TyperException) -> str:
    """Say what is wrong with the arguments, without the values that were given."""
    if isinstance(wrong, typer.BadParameter) and wrong.message and wrong.param is not None:
        name = wrong.param.get_error_hint().replace("'", "")
        if wrong.message.startswith("Input should be"):
            return f"{name}: {wrong.message.partition(',')[0]}."
        # In all other messages that hold the value, it stands before these words.
        _, _, rest = wrong.message.rpartition(" is not ")
        return f"{name} is not {rest}" if rest != wrong.message else f"{name} cannot be used."
    said = wrong.format_message()
    said = said.partition(" (")[0] if said.endswith(")") else said
    return said if said.endswith((".", "\n")) else f"{said}."
