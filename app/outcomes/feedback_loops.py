"""Whether a complaint was sent by a feedback loop that we know: its DKIM signature tells.

A complaint by email (RFC 5965) often holds nothing of the return path. It counts as the provider's
word only if the From address is one of `VESTKA_FEEDBACK_LOOPS` and a signature of that address's
domain is good (RFC 7489 §3.1.1, relaxed alignment). If DNS does not answer, it does not count.
"""

from collections.abc import Callable, Collection
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import getaddresses

from app.mail.dkim.verification import signing_domains
from app.mail.dns import DnsSilent

Texts = Callable[[str], list[str]]
"""Looks up the TXT records of a name. Raises DnsSilent."""


def is_from_feedback_loop(raw: bytes, loops: Collection[str], texts: Texts) -> bool:
    """Tell whether one of these addresses sent this message, and its domain signed it."""
    sender = _only_sender(raw)
    if sender not in loops:
        return False
    try:
        return any(_aligned(sender, domain) for domain in signing_domains(raw, texts))
    except DnsSilent:
        return False


def _only_sender(raw: bytes) -> str:
    """Return the address of the only From field, in lower case; empty if there are others."""
    head = BytesHeaderParser(policy=compat32).parsebytes(raw)
    fields = [str(value) for value in head.get_all("From", [])]
    found = getaddresses(fields) if len(fields) == 1 else []
    return found[0][1].lower() if len(found) == 1 else ""


def _aligned(sender: str, domain: str) -> bool:
    name = sender.rpartition("@")[2]
    return name == domain or name.endswith(f".{domain}")
