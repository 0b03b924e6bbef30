"""`vestka bench`: measure this machine. Ratios of one run count; absolute times mean little."""

import importlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from app import log
from app.cli.mailing_start import window_of
from app.cli.output import AsJson, print_record, print_rows
from app.errors import DomainError
from app.settings import SettingWrong
from app.settings.locations import database_url
from app.settings.values import InvalidValue


def _url(value: str | None) -> str | None:
    """Refuse what names no database, before anything is begun."""
    try:
        return value if value is None else database_url(value)
    except InvalidValue as unfit:
        raise SettingWrong("--database", str(unfit)) from None


commands = typer.Typer(no_args_is_help=True, help="Measurements, from a checkout of the project.")


@commands.command()
def send(
    messages: Annotated[int, typer.Option(min=1000, help="readers of the mailing")] = 20_000,
    rounds: Annotated[int, typer.Option(min=1, help="the median of so many counts")] = 3,
    database: Annotated[
        str | None,
        typer.Option(callback=_url, help="an empty PostgreSQL database (one round); else SQLite"),
    ] = None,
    *,
    dkim: Annotated[bool, typer.Option("--dkim", help="sign every email, RSA 2048")] = False,
    peers: Annotated[
        bool, typer.Option("--peers", help="compare with a naive sender and a pool in Go, too")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send a mailing to smtp-sink by the whole sender, and compare with smtp-source (Postfix)."""
    measured = _bench(
        "send", messages, 1 if database else rounds, url=database, dkim=dkim, peers=peers
    )
    print_record(measured, as_json=as_json)


@commands.command()
def signup(
    seconds: Annotated[float, typer.Option(min=0.5, help="of load in each round")] = 5,
    rounds: Annotated[int, typer.Option(min=1, help="the median of so many counts")] = 5,
    connections: Annotated[int, typer.Option(min=1, help="that ask one after another")] = 32,
    workers: Annotated[int, typer.Option(min=1, help="processes behind each")] = 1,
    database: Annotated[
        str | None,
        typer.Option(
            callback=_url, help="an empty PostgreSQL database; else one of its own is run"
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Take sign-ups on SQLite and PostgreSQL, and compare with an endpoint that only says 202."""
    measured = _bench(
        "signup",
        seconds=seconds,
        rounds=rounds,
        connections=connections,
        workers=workers,
        url=database,
    )
    print_record(measured, as_json=as_json)


@commands.command()
def rehearse(
    audience: Annotated[
        str, typer.Option(help="a file of domains with counts or of addresses, or `synthetic`")
    ] = "synthetic",
    readers: Annotated[int, typer.Option(min=1, max=200_000, help="of a synthetic one")] = 5000,
    relay: Annotated[
        list[str] | None,
        typer.Option(help="a relay's options, such as `weight=2&per_hour=1000`; may be repeated"),
    ] = None,
    limit: Annotated[
        list[str] | None, typer.Option(help="as in VESTKA_DOMAIN_LIMITS; may be repeated")
    ] = None,
    senders: Annotated[int, typer.Option(min=1, max=8)] = 1,
    over: Annotated[str | None, typer.Option(help="as in `mailing start --over`")] = None,
    seed: Annotated[int, typer.Option(help="for the order of the readers")] = 1,
    *,
    as_json: AsJson = False,
) -> None:
    """Send a mailing to a small internet in virtual time: how long, and each domain's curve."""
    with Console(stderr=True).status("rehearsing"):
        told = _bench(
            "rehearse",
            audience,
            readers=readers,
            relays=relay or [""],
            senders=senders,
            limits=limit or [],
            over=window_of(over) if over else None,
            seed=seed,
        )
    if as_json:
        print_record(told, as_json=True)
        return
    domains = told.pop("domains")
    print_record(told, as_json=False)
    typer.echo()
    print_rows(domains, as_json=False, nothing="There are no readers.")


class ToolMissing(DomainError):
    """This measurement needs what only a checkout of the project has."""


def _bench(measurement: str, *given: Any, **named: Any) -> Any:
    """Run a measurement: it is no part of the service, and only a checkout has it.

    Raises ToolMissing if it, or a tool that it needs, is not here.
    """
    log.configure("text")  # to standard error: what is measured goes to standard output
    root = str(Path(__file__).resolve().parents[2])
    if root not in sys.path:
        sys.path.append(root)
    try:
        return importlib.import_module(f"bench.{measurement}").run(*given, **named)
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] == "app":
            raise
        raise ToolMissing(
            f"`vestka bench {measurement}` needs {missing.name.partition('.')[0]}, which is not"
            " installed: only a checkout of the project with its test tools has it. There, run"
            " `python3 dev.py test --version` once, then this command again."
        ) from None
