"""`vestka suppression`: whom never to write to: add one, take one back, ask about one, count.

No address is ever an argument: arguments are seen by everyone on the machine and kept in histories.
"""

import typer

from app.addresses.blind_index import never_indexes
from app.cli.app_context import CommandContext
from app.cli.output import AsJson, print_record
from app.cli.prompts import read_address
from app.key_rotation.key_users import refuse_behind
from app.operators.audit import note
from app.subscribers.suppression import suppress_address
from app.suppressions.lookup import counts, reasons_of
from app.suppressions.reasons import OPERATOR
from app.suppressions.suppressing import lift

commands = typer.Typer(no_args_is_help=True, help="Whom never to write to.")
_ACTOR = "command line"


@commands.command()
def add(*, as_json: AsJson = False) -> None:
    """Never write again to the address on standard input; its subscriptions end at once."""
    address = read_address("Address to suppress: ")
    opened = CommandContext()
    now, keyring = opened.clock.now(), opened.keyring
    with opened.database.transaction() as session:
        suppress_address(session, keyring, address, OPERATOR, today=now.date())
        # No rotation waits for a command: with keys that became old meanwhile, nobody is ended.
        refuse_behind(session, keyring.generation)
        note(session, _ACTOR, "suppression added", "one address", now=now)
    print_record({"suppressed": True}, as_json=as_json)


@commands.command()
def remove(*, as_json: AsJson = False) -> None:
    """Let the address on standard input be written to again; it has to sign up by itself."""
    address = read_address("Address to release: ")
    opened = CommandContext()
    now, keyring = opened.clock.now(), opened.keyring
    with opened.database.transaction() as session:
        removed = lift(session, never_indexes(keyring.never, address))
        done = "one address" if removed else "an address that was not suppressed"
        note(session, _ACTOR, "suppression removed", done, now=now)
    print_record({"removed": removed}, as_json=as_json)


@commands.command("test")
def ask(*, as_json: AsJson = False) -> None:
    """Tell whether the address on standard input is suppressed, and why. It is audited."""
    address = read_address("Address to look for: ")
    opened = CommandContext()
    now, keyring = opened.clock.now(), opened.keyring
    with opened.database.transaction() as session:  # asking leaves a trace, or it is not answered
        note(session, _ACTOR, "suppression tested", "one address", now=now)
        indexes = never_indexes(keyring.never, address)
        reasons = reasons_of(session, indexes, today=now.date())
    print_record({"suppressed": bool(reasons), "reasons": reasons}, as_json=as_json)


@commands.command()
def count(*, as_json: AsJson = False) -> None:
    """Count the suppressed addresses by reason; nobody can list them."""
    opened = CommandContext()
    with opened.database.reading() as session:
        counted = counts(session, today=opened.clock.now().date())
    print_record(counted, as_json=as_json)
