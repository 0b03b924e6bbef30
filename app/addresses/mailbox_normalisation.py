"""Which addresses are probably one mailbox: for rate limits only, never to tell readers apart.

Many hosts bring `a.b+c@` to the mailbox of `ab@`; so an attacker has as many spellings of one
victim. On other hosts two people share a count by it, which they hardly notice.
"""

from app.addresses.address import EmailAddress

_ONE_HOST = {"googlemail.com": "gmail.com"}


def folded(address: EmailAddress) -> str:
    """Return the address in lower case, without what follows a plus and without dots."""
    local, _, domain = address.canonical.rpartition("@")
    bare = local.partition("+")[0].replace(".", "")
    return f"{bare or local}@{_ONE_HOST.get(domain, domain)}"
