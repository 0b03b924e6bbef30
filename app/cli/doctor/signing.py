"""Who signs the emails: our keys with the DNS records they need, or else the relay."""

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from app.cli.app_context import CommandContext
from app.cli.doctor.findings import Finding, fail, ok, warn
from app.errors import DomainError
from app.mail.dkim.coverage import ONE_CLICK, aligned
from app.mail.dkim.signature import DkimKey

LONG = 2048  # bits

NO_KEY = (
    f"there is no key, so the relay has to sign, with {' and '.join(ONE_CLICK)} in h= (RFC 8058);"
    " `vestka dkim check` tells of an email that arrived whether it does."
)


def signing(opened: CommandContext) -> Iterator[Finding]:
    """See that emails are signed, and by keys that mailboxes take; DNS is not asked."""
    settings = opened.settings
    try:
        keys = opened.dkim_keys
    except DomainError as refused:
        yield fail("dkim", f"{refused}.".replace("..", "."))
        return
    yield from map(_key, keys)
    if not keys:
        yield warn("dkim", NO_KEY)
    elif not any(isinstance(key.private, RSAPrivateKey) for key in keys):
        yield warn("dkim", "there is no rsa key, and few mailboxes verify another (RFC 8463).")
    if not aligned(settings.dkim_domain, settings.from_address.domain):
        yield warn(
            "dkim", "VESTKA_DKIM_DOMAIN is not the domain of VESTKA_FROM, nor above or below."
        )


def _key(key: DkimKey) -> Finding:
    needs = f'{key.algorithm}, needs in DNS: {key.record_name} TXT "{key.record}"'
    if isinstance(key.private, RSAPrivateKey) and key.private.key_size < LONG:
        return warn("dkim", f"{needs}; it has fewer than {LONG} bits.")
    return ok("dkim", needs)
