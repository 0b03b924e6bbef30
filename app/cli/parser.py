"""The command `vestka`: its sub-commands, and how a refusal is told: one sentence and status 2."""

import re
import sys

import typer
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError
from typer.exceptions import TyperException

from app.cli import bench, dkim, issue, keys, mailing, photo, seal, subscribers, suppression
from app.cli.bounce import bounce
from app.cli.demo import demo
from app.cli.doctor import doctor
from app.cli.migrating import migrate
from app.cli.serving import serve
from app.errors import Refusal
from app.journal import blot
from app.web.problems import field_name, reason

commands = typer.Typer(
    name="vestka",
    help="A newsletter whose list cannot leak and whose books balance.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
commands.command()(serve)
commands.command()(demo)
commands.command()(migrate)
commands.command()(doctor)
commands.command()(bounce)
commands.add_typer(bench.commands, name="bench")
commands.add_typer(issue.commands, name="issue")
commands.add_typer(photo.commands, name="photo")
commands.add_typer(mailing.commands, name="mailing")
commands.add_typer(keys.commands, name="key")
commands.add_typer(dkim.commands, name="dkim")
commands.add_typer(seal.commands, name="seal")
commands.add_typer(subscribers.commands, name="subscribers")
commands.add_typer(suppression.commands, name="suppression")


def main() -> None:
    """Run the command given on the command line."""
    try:
        status = commands(prog_name="vestka", standalone_mode=False)
    except Refusal as refused:
        _refuse(str(refused))
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        _refuse(f"{field_name(first['loc'])}: {reason(first)}.")
    except TyperException as wrong:
        if not wrong.format_message().startswith("Usage:"):
            _refuse(usage_sentence(wrong))
        typer.echo(wrong.format_message(), err=True)  # nothing was asked: this is the help
        sys.exit(2)
    except typer.Abort:
        _refuse("Nothing was done.", status=1)
    except OperationalError:  # its own words hold the statement, and may hold the password
        _refuse("The database named by VESTKA_DATABASE_URL does not answer.", status=1)
    sys.exit(status if isinstance(status, int) else 0)


def _refuse(sentence: str, status: int = 2) -> None:
    sys.stderr.write(f"vestka: {blot(sentence)}\n")
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
    said = re.sub(r" \(.*\)$", "", wrong.format_message(), flags=re.DOTALL)
    return said if said.endswith((".", "\n")) else f"{said}."
