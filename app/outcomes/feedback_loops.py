"""Whether a complaint was sent by a feedback loop that we know: its DKIM signature tells.

A complaint by email (RFC 5965) often holds nothing of the return path. It counts as the provider's
word only if the From address is one of `VESTKA_FEEDBACK_LOOPS` and a signature of that address's
domain is good (RFC 7489 §3.1.1, relaxed alignment). It must have been written to us: anybody can
enrol a domain of their own, complain about a message that bears one of our Message-IDs, and pass on
the provider's signed report. If DNS does not answer, it does not count.
"""

from collections.abc import Callable, Collection
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import getaddresses

from app.mail.dkim.verification import signing_domains
from app.mail.dns import DnsSilent

Texts = Callable[[str], list[str]]
"""Looks up the TXT records of a name. Raises DnsSilent."""


def is_from_feedback_loop(
    raw: bytes, loops: Collection[str], ours: Collection[str], texts: Texts
) -> bool:
    """Tell whether one of the `loops` wrote this to us, and its domain signed it.

    `ours` are domains of our own; a mailbox of theirs or of a domain above them is ours.
    """
    sender, recipient = _only_address(raw, "From"), _only_address(raw, "To")
    if sender not in loops or not any(_aligned(f"@{each}", _domain(recipient)) for each in ours):
        return False
    try:
        return any(_aligned(sender, domain) for domain in signing_domains(raw, texts))
    except DnsSilent:
        return False


def _only_address(raw: bytes, name: str) -> str:
    """Return the only address of the only such field, in lower case; empty if there are others."""
    head = BytesHeaderParser(policy=compat32).parsebytes(raw)
    fields = [str(value) for value in head.get_all(name, [])]
    found = getaddresses(fields) if len(fields) == 1 else []
    return found[0][1].lower() if len(found) == 1 else ""


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _aligned(address: str, domain: str) -> bool:
    """Tell whether `domain` is that of the address, or one above it that is no top-level domain."""
    name = _domain(address)
    return "." in domain and (name == domain or name.endswith(f".{domain}"))
