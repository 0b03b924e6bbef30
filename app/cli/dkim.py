"""`vestka dkim`: the keys that sign letters, and the DNS records that let others verify them."""

from enum import StrEnum
from typing import Annotated

import typer

from app.addresses.keys import check_apart
from app.cli.opening import Opened
from app.cli.output import AsJson, print_record, print_rows
from app.mail.dkim import DkimKey
from app.mail.dkim_keys import ED25519, RSA, create_dkim_key, load_dkim_keys
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
    opened = Opened()
    settings = opened.settings
    domain = settings.dkim_domain
    with naming("VESTKA_KEYS_DIR"):
        check_apart(settings.keys_dir, settings.data_dir)
    _ = opened.keyring  # makes the directory, if this is the first command
    print_record(
        _shown(create_dkim_key(settings.keys_dir, selector, kind, domain)), as_json=as_json
    )


@commands.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the keys that sign, with their DNS records."""
    settings = Opened().settings
    with naming("VESTKA_KEYS_DIR"):
        keys = load_dkim_keys(settings.keys_dir, settings.dkim_domain)
    rows = [_shown(key) for key in keys]
    print_rows(rows, as_json=as_json, nothing="There is no DKIM key: the relay has to sign.")


def _shown(key: DkimKey) -> dict[str, str]:
    return {
        "algorithm": key.algorithm,
        "name": key.record_name,
        "type": "TXT",
        "record": key.record,
    }
