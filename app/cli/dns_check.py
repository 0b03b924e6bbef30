"""`vestka doctor`: what DNS says of the domains that letters come from and go back to."""

from collections.abc import Callable, Iterator

from app.cli.opening import Opened
from app.cli.verdicts import Finding, fail, ok, warn
from app.deliveries.outfit import relays_of
from app.errors import Refusal
from app.mail import published
from app.mail.lookup import Dns, DnsSilent, Lookup
from app.mail.published import Grade, Said
from app.mail.relay import Security

_SAYS = {Grade.GOOD: ok, Grade.MISSING: warn, Grade.WRONG: fail}


def domains(opened: Opened, lookup: Callable[[], Lookup] | None = None) -> Iterator[Finding]:
    """Read SPF, DKIM and DMARC; print what is missing. Without DNS, say so and no more."""
    try:
        found = (lookup or Dns)()
        for check, said in _asked(opened, found):
            yield _SAYS[said.grade](check, said.sentence)
    except DnsSilent:
        yield warn("dns", "it does not answer, so nothing is known of SPF, DKIM and DMARC.")


def _asked(opened: Opened, lookup: Lookup) -> Iterator[tuple[str, Said]]:
    settings = opened.settings
    sender, back = settings.sender.domain, settings.return_path_domain
    relays = relays_of(settings, opened.newsletter)
    hosts = [each.host for each in relays if each.security is not Security.NONE]
    for domain in dict.fromkeys((back, sender)):
        yield "spf", published.spf(lookup, domain, hosts)
    try:
        keys = opened.dkim_keys
    except Refusal:
        keys = []  # the check of DKIM has said so
    for key in keys:
        yield "dkim-dns", published.dkim(lookup, key)
    yield "dmarc", published.dmarc(lookup, sender)
    yield "bounces", published.bounces(lookup, back)
