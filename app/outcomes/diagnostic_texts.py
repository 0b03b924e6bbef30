"""What a server said, made fit to be kept: no address, no host, no number of anything. Pure.

A great provider's name stays: it says where the trouble is, and nothing of a reader.
"""

import re
from collections.abc import Iterable

from app.mail.providers import provider_of
from app.mail.redaction import without_addresses

LONGEST = 200  # characters

_URL = re.compile(r"\bhttps?://[^\s<>\"]+", re.IGNORECASE)
_IP = re.compile(
    r"\[?\b(?:\d{1,3}(?:\.\d{1,3}){3}|(?:[0-9a-f]{1,4}:){2,}[0-9a-f:]*)\b\]?", re.IGNORECASE
)
_HOST = re.compile(r"(?<![\w.-])(?:[\w-]{1,63}\.){1,10}[^\W\d_][\w-]{1,62}(?![\w-])")
_ID = re.compile(r"(?<![\w.-])(?=[\w.-]*\d)[\w-]+(?:\.[\w-]+)*(?![\w-])")
_CODE = re.compile(r"[245]\d\d|(?:[245]\d\d-)?[245]\.\d{1,3}\.\d{1,3}|\d{1,2}")


def diagnosis(text: str, recipients: Iterable[str] = ()) -> str:
    """Return a text in which nothing is a person's, a host's or a message's own.

    No part of the `recipients`' addresses is left, wherever it stands.
    """
    said = without_addresses(" ".join(text.split()))
    for address in recipients:
        said = without_addresses(said, address)
    said = _URL.sub(lambda found: _provider(found[0].split("/")[2]) or "[link]", said)
    said = _IP.sub("[ip]", said)
    said = _HOST.sub(lambda found: _provider(found[0]) or _kept(found[0]) or "[host]", said)
    said = _ID.sub(lambda found: found[0] if _CODE.fullmatch(found[0]) else "[id]", said)
    return " ".join("".join(c if c.isprintable() else " " for c in said).split())[:LONGEST]


def provider(address: str) -> str:
    """Return the great provider of an address, or "other"."""
    return provider_of(address.rpartition("@")[2]) or "other"


def _provider(host: str) -> str:
    """Name the provider that a host belongs to, whichever of its parents is in the table."""
    labels = host.lower().rstrip(".").split(".")
    parents = (".".join(labels[start:]) for start in range(len(labels) - 1))
    return next((name for each in parents if (name := provider_of(each))), "")


def _kept(host: str) -> str:
    """Words with a dot between them are no host: a code of ours, or a sentence without a space."""
    return host if _CODE.fullmatch(host) else ""
