"""`vestka issue test`: an edition as an email to addresses that are given, marked as a test."""

from typing import Annotated

import typer

from app.addresses.address import AddressRefused, EmailAddress
from app.cli.app_context import CommandContext
from app.cli.output import AsJson, print_rows
from app.cli.prompts import read_address
from app.deliveries.compose.message_headers import SenderIdentity
from app.deliveries.ledger.test_requests import TestState
from app.deliveries.testing import ask_for_tests, reply_of, wait_for_outcomes
from app.issues.week import Week

MOST = 10  # addresses at once, as in the API
_BY = "command line"
_PATIENCE = 60.0  # seconds


def send_tests(
    week: Annotated[str, typer.Argument(metavar="WEEK", help="such as 2025-W04")],
    segment: Annotated[str | None, typer.Option(help="or else the first, such as en")] = None,
    language: Annotated[str | None, typer.Option(help="or else the segment's first")] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="may be given more than once; without it, one address is read from standard"
            " input, where neither a history nor a list of processes shows it",
        ),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Send the edition, also of a draft, marked as a test; 1 if a relay did not take each."""
    opened = CommandContext()
    parsed = Week.parse(week)
    found = opened.newsletter.segment(segment or opened.newsletter.segments[0].id)
    addresses = _addresses(to)
    ids = ask_for_tests(
        opened.database,
        SenderIdentity.of(opened.settings, opened.newsletter),
        opened.public_keys,
        (parsed, found, language or found.languages[0]),
        addresses,
        by=_BY,
        clock=opened.clock,
    )
    outcomes = wait_for_outcomes(opened.database, ids, _PATIENCE)
    rows: list[dict[str, object]] = [
        {"index": index, "id": each.id.hex(), "state": str(each.state), "reply": reply_of(each)}
        for index, each in enumerate(outcomes)
    ]
    print_rows(rows, as_json=as_json, nothing="Nothing was sent.")
    if any(each.state is not TestState.ACCEPTED for each in outcomes):
        raise typer.Exit(1)


def _addresses(given: list[str] | None) -> list[EmailAddress]:
    """Read the addresses; what is none is named by its place, and not repeated."""
    if not given:
        return [read_address("Address for the test email: ")]
    if len(given) > MOST:
        raise typer.BadParameter(f"at most {MOST} addresses at once", param_hint="--to")
    found = []
    for place, text in enumerate(given, start=1):
        try:
            found.append(EmailAddress.parse(text))
        except AddressRefused as refused:
            raise AddressRefused(f"--to, address {place}: {refused}", field="to") from None
    return found
