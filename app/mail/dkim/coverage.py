"""What the DKIM signatures of a message say that they cover, read in a message as it arrived.

Names only: whether a signature is true is for a verifier with DNS to say. Where the relay signs,
this shows whether one click will be offered: a signature of the sender's domain has to cover both
of its headers (RFC 8058 §3.1), each of which is in the message once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from email.utils import getaddresses

from app.errors import DomainError

ONE_CLICK = ("List-Unsubscribe", "List-Unsubscribe-Post")
WEAK = frozenset({"rsa-sha1"})  # RFC 8301 §3.1: counts for nothing


class MessageUnreadable(DomainError):
    """This is no message with headers and one sender."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One DKIM-Signature: who signed, and what of one-click unsubscribing it leaves open."""

    domain: str
    selector: str
    algorithm: str
    aligned: bool
    missing: tuple[str, ...]

    @property
    def covers(self) -> bool:
        """Tell whether a mailbox that verifies it may offer one click."""
        return self.aligned and not self.missing and self.algorithm not in WEAK


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message's sender's domain, how often it has each one-click header, and its signatures."""

    domain: str
    counts: Mapping[str, int]
    signatures: tuple[Signature, ...]

    @property
    def covered(self) -> bool:
        """Tell whether one of the signatures covers one-click unsubscribing."""
        return self.once and any(signature.covers for signature in self.signatures)

    @property
    def once(self) -> bool:
        """Tell whether each header is there exactly once."""
        return set(self.counts.values()) == {1}


def read_arrived(raw: bytes) -> Arrived:
    """Read a message as it lies in a mailbox. Raises MessageUnreadable."""
    message = message_from_bytes(raw, policy=policy.compat32)
    senders = [address for _, address in getaddresses(map(str, message.get_all("From", [])))]
    if len(senders) != 1 or "@" not in senders[0]:
        raise MessageUnreadable
    domain = senders[0].rpartition("@")[2].lower()
    counts = {name: len(message.get_all(name, [])) for name in ONE_CLICK}
    return Arrived(domain, counts, tuple(_signatures(message, domain)))


def aligned(one: str, other: str) -> bool:
    """Tell whether two domains are the same, or one is beneath the other; a bare TLD is nobody's.

    DMARC's relaxed alignment (RFC 9989) also lets two domains beside each other pass; to know
    whose they are takes DNS.
    """
    short, long = sorted((one.lower().rstrip("."), other.lower().rstrip(".")), key=len)
    return "." in short and (short == long or long.endswith(f".{short}"))


def _signatures(message: Message, sender: str) -> list[Signature]:
    found = []
    for value in message.get_all("DKIM-Signature", []):
        tags = _tags(str(value))
        names = {name.strip().lower() for name in tags.get("h", "").split(":")}
        domain = tags.get("d", "").lower()
        found.append(
            Signature(
                domain=domain,
                selector=tags.get("s", ""),
                algorithm=tags.get("a", "").lower(),
                aligned=bool(domain) and aligned(domain, sender),
                missing=tuple(name for name in ONE_CLICK if name.lower() not in names),
            )
        )
    return found


def _tags(value: str) -> dict[str, str]:
    """Read a tag list (RFC 6376 §3.2)."""
    pairs = (tag.partition("=") for tag in value.split(";"))
    return {name.strip(): re.sub(r"\s+", "", text) for name, _, text in pairs}
