"""`vestka doctor`: what DNS says of the domains that emails come from and go back to."""

from collections.abc import Callable, Iterator

from app.cli.app_context import CommandContext
from app.cli.doctor.findings import Finding, fail, ok, warn
from app.deliveries.dispatch.from_settings import relays_of
from app.errors import DomainError
from app.mail import dns_records
from app.mail.dns import Dns, DnsSilent, Lookup
from app.mail.dns_records import Grade, RecordCheck
from app.mail.relay import Security

_SAYS = {Grade.GOOD: ok, Grade.MISSING: warn, Grade.WRONG: fail}


def domains(
    opened: CommandContext, lookup: Callable[[], Lookup] | None = None
) -> Iterator[Finding]:
    """Read SPF, DKIM and DMARC; print what is missing. Without DNS, say so and no more."""
    try:
        found = (lookup or Dns)()
        for check, said in _asked(opened, found):
            yield _SAYS[said.grade](check, said.sentence)
    except DnsSilent:
        yield warn("dns", "it does not answer, so nothing is known of SPF, DKIM and DMARC.")


def _asked(opened: CommandContext, lookup: Lookup) -> Iterator[tuple[str, RecordCheck]]:
    settings = opened.settings
    sender, back = settings.from_address.domain, settings.return_path_domain
    relays = relays_of(settings, opened.newsletter)
    hosts = [each.host for each in relays if each.security is not Security.NONE]
    for domain in dict.fromkeys((back, sender)):
        yield "spf", dns_records.spf(lookup, domain, hosts)
    try:
        keys = opened.dkim_keys
    except DomainError:
        keys = []  # the check of DKIM has said so
    for key in keys:
        yield "dkim-dns", dns_records.dkim(lookup, key)
    yield "dmarc", dns_records.dmarc(lookup, sender)
    yield "bounces", dns_records.bounces(lookup, back)
