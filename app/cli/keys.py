"""`vestka key`: API keys for operators and the programs they use."""

from datetime import timedelta
from typing import Annotated

import typer

from app.cli.app_context import CommandContext
from app.cli.output import AsJson, print_record, print_rows
from app.operators.api_keys import create_key, list_keys, revoke_key
from app.operators.audit import note
from app.operators.scopes import SCOPES, parse_scopes

commands = typer.Typer(no_args_is_help=True, help="API keys.")
_SCOPES = "all, or with commas: " + ", ".join(SCOPES)


@commands.command()
def create(
    name: Annotated[str, typer.Argument(help="whose key it is")],
    scope: Annotated[str, typer.Option(help=_SCOPES)],
    days: Annotated[int, typer.Option(min=1, max=366, help="how long it works")] = 365,
    *,
    as_json: AsJson = False,
) -> None:
    """Make an API key. It is shown once."""
    scopes = parse_scopes(scope)
    opened = CommandContext()
    now = opened.clock.now()
    with opened.database.transaction() as session:
        expires = now.date() + timedelta(days=days)
        key = create_key(session, name, scopes, today=now.date(), expires=expires)
        note(session, "command line", "key created", name, now=now)
    print_record({"name": name, "key": key, "scopes": scopes, "expires": expires}, as_json=as_json)


@commands.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the API keys; no secret is shown."""
    opened = CommandContext()
    with opened.database.reading() as session:
        rows = [
            {
                "name": key.name,
                "scopes": key.scopes,
                "created": key.created_day,
                "expires": key.expires_day,
                "revoked": key.revoked,
            }
            for key in list_keys(session)
        ]
    print_rows(rows, as_json=as_json, nothing="There are no API keys.")


@commands.command()
def revoke(name: str, *, as_json: AsJson = False) -> None:
    """Make an API key useless at once."""
    opened = CommandContext()
    with opened.database.transaction() as session:
        revoke_key(session, name)
        note(session, "command line", "key revoked", name, now=opened.clock.now())
    print_record({"name": name, "revoked": True}, as_json=as_json)
