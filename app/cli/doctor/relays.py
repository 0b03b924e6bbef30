"""`vestka doctor` calls every relay: TLS, login, what it offers and how much, its clock."""

import asyncio
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from app.cli.app_context import CommandContext
from app.cli.doctor.findings import Finding, fail, ok, warn
from app.deliveries.dispatch.from_settings import relays_of
from app.mail.relay import Relay, Security
from app.mail.smtp.connection import Connection
from app.mail.smtp.timeouts import Timeouts

SHORT = Timeouts(greeting=10, command=10, data=10, dot=10)
# An email with all the pictures it may have (300 kB, and a third more in base64), and some room.
LARGE = 1_000_000
APART = timedelta(minutes=5)
SOON = timedelta(days=14)
WANTED = ("pipelining", "size", "8bitmime", "enhancedstatuscodes", "smtputf8", "dsn")
# Sendmail and Exim say the time in their greeting.
_TIME = re.compile(r"(?:\w{3}, )?\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}")


def relays(opened: CommandContext) -> Iterator[Finding]:
    """Call every relay: connect, TLS, login; then say goodbye."""
    hostname = opened.settings.list_domain
    for relay in relays_of(opened.settings, opened.newsletter):
        yield from asyncio.run(_called(relay, hostname, opened.clock.now()))


async def _called(relay: Relay, hostname: str, now: datetime) -> list[Finding]:
    opened = await Connection.open(relay, hostname, timeouts=SHORT)
    if not isinstance(opened, Connection):
        why = str(opened.reply or opened.trouble).rstrip(".")
        return [fail("relay", f"{relay.name} at {opened.stage}: {why}.")]
    findings = [_answers(relay, opened), *_looked_at(relay, opened, now)]
    await opened.close()
    return findings


def _answers(relay: Relay, connection: Connection) -> Finding:
    offered = [each.upper() for each in WANTED if connection.offers(each)]
    tls = connection.about.tls
    said = "without TLS" if relay.security is Security.NONE else f"over TLS ({tls or 'unknown'})"
    login = ", logged in" if relay.username else ""
    says = f"{relay.name} answers {said}{login}; it offers {' '.join(offered) or '–'}."
    return ok("relay", says)


def _looked_at(relay: Relay, connection: Connection, now: datetime) -> Iterator[Finding]:
    """Yield only what somebody should know."""
    if not connection.offers("pipelining"):
        yield warn("relay", f"{relay.name} takes one command at a time, which is slow.")
    largest = connection.pipeline.offers.largest
    if 0 < largest < LARGE:
        kb = largest // 1000
        yield warn("relay", f"{relay.name} takes emails of {kb} kB at most; pictures need 1000.")
    ends = connection.about.certificate_ends
    if ends is not None and ends - now < SOON:
        yield warn("relay", f"the certificate of {relay.name} ends on {ends:%Y-%m-%d}.")
    theirs = time_of(connection.about.greeting)
    if theirs is not None and abs(theirs - now) > APART:
        minutes = abs(theirs - now) // timedelta(minutes=1)
        yield warn(
            "relay", f"the clocks of {relay.name} and of this machine are {minutes} min apart."
        )


def time_of(greeting: str) -> datetime | None:
    """Return the time that a relay's greeting tells; None if it tells none."""
    found = _TIME.search(greeting)
    try:
        return parsedate_to_datetime(found[0]) if found else None
    except ValueError:
        return None
