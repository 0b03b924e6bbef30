"""`vestka domain`: which receiving domains are slowed or blocked, and how to let one go on."""

from typing import Annotated

import typer

from app.cli.app_context import CommandContext
from app.cli.output import AsJson, print_record, print_rows
from app.deliveries.destinations.coordination import lift as lift_block
from app.deliveries.destinations.coordination import standings
from app.deliveries.dispatch.from_settings import group_limits_of
from app.errors import DomainError
from app.mail.domain_patterns import Pattern
from app.mail.providers import providers
from app.operators.audit import note

commands = typer.Typer(no_args_is_help=True, help="Receiving domains: list, lift a block.")
BY = "command line"


class NotBlocked(DomainError):
    """That domain is not blocked."""


@commands.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List what is slowed or blocked. Only great providers and domains of settings have a name."""
    opened = CommandContext()
    limits = group_limits_of(opened.settings, opened.keyring)
    known = [*providers(), *(pattern.text for pattern, _ in limits.patterns)]
    names = {limits.name(key): key for key in known}
    with opened.database.reading() as session:
        rows = [
            {
                "domain": names.get(name, name),
                "per_minute": round(speed.per_minute) if speed else None,
                "blocked_until": blocked.until if blocked else None,
            }
            for name, (speed, blocked) in sorted(standings(session).items())
        ]
    print_rows(rows, as_json=as_json, nothing="Every domain is written to at full speed.")


@commands.command()
def lift(
    domain: Annotated[str, typer.Argument(help="a great provider, a domain, or as it is listed")],
    *,
    as_json: AsJson = False,
) -> None:
    """End a block, when what it was for is put right; emails go again, carefully at first."""
    opened = CommandContext()
    limits = group_limits_of(opened.settings, opened.keyring)
    now = opened.clock.now()
    with opened.database.transaction() as session:
        if domain not in standings(session):
            pattern = Pattern.parse(domain).text
            domain = limits.name(pattern if pattern in providers() else limits.of(pattern).key)
        if not lift_block(session, domain, now=now):
            raise NotBlocked
        note(session, BY, "domain block lifted", domain, now=now)
    print_record({"lifted": True}, as_json=as_json)
