"""`vestka migrate`: bring the database's schema up to date, and make its roles."""

from typing import Annotated

import typer

from app.cli.app_context import CommandContext
from app.cli.output import AsJson, print_record
from app.database import Database
from app.db_roles import grant_all
from app.migration import migrate as bring_up_to_date


def migrate(
    *,
    roles: Annotated[bool, typer.Option("--roles", help="make the roles of PostgreSQL")] = False,
    prefix: Annotated[str, typer.Option(help="what the roles' names begin with")] = "vestka",
    as_json: AsJson = False,
) -> None:
    """Bring the database's schema up to date; the other commands do so by themselves.

    With --roles, also make the database roles PREFIX_public, PREFIX_operators and PREFIX_sender,
    each with the rights that its process needs; users are made members of them by you.
    """
    opened = CommandContext()
    if opened.settings.database_url.startswith("sqlite"):
        opened.data_dir()
    database = Database(opened.settings.database_url)
    record: dict[str, object] = {"migrated": bring_up_to_date(database)}
    if roles:
        record["roles"] = grant_all(database, prefix)
    print_record(record, as_json=as_json)
