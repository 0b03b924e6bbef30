"""`vestka dkim`: the keys that sign emails, and the DNS records that let others verify them."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.addresses.keyring import check_apart
from app.cli.app_context import CommandContext
from app.cli.output import AsJson, print_json, print_record, print_rows
from app.mail.dkim.coverage import Arrived, MessageUnreadable, read_arrived
from app.mail.dkim.dkim_keys import ED25519, RSA, create_dkim_key
from app.mail.dkim.signature import DkimKey
from app.settings import naming

commands = typer.Typer(no_args_is_help=True, help="Keys that sign letters (DKIM).")


class Kind(StrEnum):
    """The kinds of keys. Great mailbox providers verify RSA alone."""

    RSA = RSA
    ED25519 = ED25519


@commands.command()
def create(
    selector: Annotated[str, typer.Argument(help="its name in DNS, such as 2026a")],
    kind: Annotated[Kind, typer.Option(help="ed25519 only beside an rsa key")] = Kind.RSA,
    *,
    as_json: AsJson = False,
) -> None:
    """Make a key beside the others, and print its DNS record. It signs from the next start on."""
    opened = CommandContext()
    settings = opened.settings
    domain = settings.dkim_domain
    with naming("VESTKA_KEYS_DIR"):
        check_apart(settings.keys_dir, settings.data_dir)
    settings.keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    print_record(
        _shown(create_dkim_key(settings.keys_dir, selector, kind, domain)), as_json=as_json
    )


@commands.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the keys that sign, with their DNS records."""
    records = [_shown(key) for key in CommandContext().dkim_keys]
    if as_json or not records:
        print_rows(records, as_json=as_json, nothing="There is no DKIM key: the relay has to sign.")
        return
    for record in records:  # no table: a record is copied whole
        print_record(record, as_json=False)


@commands.command()
def check(
    message: Annotated[Path, typer.Argument(metavar="FILE", help="an email saved from a mailbox")],
    *,
    as_json: AsJson = False,
) -> None:
    """Tell whether an email as it arrived is signed for one-click unsubscribing; 1 if it is not.

    It reads what the signatures name and asks no DNS: a mailbox's "Show original" tells the rest.
    """
    try:
        arrived = read_arrived(message.read_bytes())
    except OSError:
        raise MessageUnreadable from None
    rows = [asdict(each) | {"covers": each.covers} for each in arrived.signatures]
    if as_json:
        facts = {"covered": arrived.covered, "from": arrived.domain, "headers": arrived.counts}
        print_json({**facts, "signatures": rows})
    else:
        print_rows(rows, as_json=False, nothing="There is no DKIM-Signature.")
        typer.echo(f"\n{_verdict(arrived)}")
    if not arrived.covered:
        raise typer.Exit(1)


def _verdict(arrived: Arrived) -> str:
    if arrived.covered:
        return f"One-click unsubscribing is covered by a signature of {arrived.domain}."
    lacking = [name for name, count in arrived.counts.items() if count != 1]
    if lacking:
        return f"{' and '.join(lacking)} should be there once: mailboxes will not offer one click."
    return (
        f"No signature of {arrived.domain} covers List-Unsubscribe and List-Unsubscribe-Post:"
        " mailboxes will not offer one click (RFC 8058)."
    )


def _shown(key: DkimKey) -> dict[str, str]:
    return {
        "algorithm": key.algorithm,
        "name": key.record_name,
        "type": "TXT",
        "record": key.record,
    }
