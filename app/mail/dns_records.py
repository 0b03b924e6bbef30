"""What a domain publishes about its mail, read from DNS: SPF, DKIM, DMARC, and who takes bounces.

Says what is wrong in sentences, and which record is missing as it would have to be written.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from app.mail.dkim.signature import DkimKey
from app.mail.dns import Lookup

_LOOKUPS = 10  # terms of SPF that ask DNS, at most (RFC 7208 §4.6.4)
_ASKS = re.compile(
    r"[+?~-]?(include:|a(?![\w-])|mx(?![\w-])|ptr(?![\w-])|exists:)|redirect=", re.IGNORECASE
)
_FURTHER = re.compile(r"[+?~-]?include:(\S+)|redirect=(\S+)", re.IGNORECASE)
_POLICIES = ("none", "quarantine", "reject")


class Grade(StrEnum):
    """How a record stands."""

    GOOD = "good"
    MISSING = "missing"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class RecordCheck:
    """One sentence about one record."""

    grade: Grade
    sentence: str


def spf(lookup: Lookup, domain: str, relays: Iterable[str]) -> RecordCheck:
    """Read the SPF record of a domain (RFC 7208); `relays` are the hosts that send for it.

    Whether the relays' own addresses are in it cannot be told from here. Raises DnsSilent.
    """
    records = _spf_records(lookup, domain)
    if not records:
        # Of a relay on this machine only the address is known by which it reaches the world.
        named = " ".join(f"a:{host}" for host in relays) or "ip4:ADDRESS_OF_YOUR_SERVER"
        return RecordCheck(
            Grade.MISSING,
            f"{domain} has no SPF record; needed, or what your relay's provider names:"
            f' {domain} TXT "v=spf1 {named} ~all"',
        )
    if len(records) > 1:
        return RecordCheck(
            Grade.WRONG, f"{domain} has {len(records)} SPF records, and so none counts."
        )
    asks = _count_asks(lookup, records[0], set())
    if asks > _LOOKUPS:
        return RecordCheck(
            Grade.WRONG, f"the SPF record of {domain} asks DNS {asks} times; over 10 it is void."
        )
    if re.search(r"(?:^|\s)\+?all(?:\s|$)", records[0], re.IGNORECASE):
        return RecordCheck(Grade.WRONG, f"the SPF record of {domain} lets everyone send (+all).")
    return RecordCheck(Grade.GOOD, f"{domain} has an SPF record.")


def _spf_records(lookup: Lookup, domain: str) -> list[str]:
    texts = lookup.texts(domain)
    return [t for t in texts if t.lower() == "v=spf1" or t.lower().startswith("v=spf1 ")]


def _count_asks(lookup: Lookup, record: str, seen: set[str]) -> int:
    asks = 0
    for term in record.split()[1:]:
        asks += _ASKS.match(term) is not None
        further = _FURTHER.fullmatch(term)
        name = (further[1] or further[2]).lower() if further else ""
        if name and "%" not in name and name not in seen and len(seen) <= _LOOKUPS:
            seen.add(name)
            asks += sum(_count_asks(lookup, each, seen) for each in _spf_records(lookup, name)[:1])
    return asks


def dkim(lookup: Lookup, key: DkimKey) -> RecordCheck:
    """See that a key of ours is published as it is (RFC 6376 §3.6.2). Raises DnsSilent."""
    texts = lookup.texts(key.record_name)
    needed = f'{key.record_name} TXT "{key.record}"'
    if not texts:
        return RecordCheck(Grade.MISSING, f"this DKIM key is not published; needed: {needed}")
    if not any(_tags(text).get("p") == _tags(key.record).get("p") for text in texts):
        return RecordCheck(
            Grade.WRONG, f"another DKIM key is published than ours; needed: {needed}"
        )
    return RecordCheck(Grade.GOOD, f"{key.record_name} is published.")


def dmarc(lookup: Lookup, domain: str) -> RecordCheck:
    """Read the DMARC record that holds for From (RFC 9989 §4.10: up the tree). Raises DnsSilent."""
    for name in _up_the_tree(domain):
        texts = lookup.texts(f"_dmarc.{name}")
        records = [t for t in texts if re.match(r"v\s*=\s*DMARC1\s*(;|$)", t)]
        if len(records) > 1:
            return RecordCheck(
                Grade.WRONG, f"_dmarc.{name} has several DMARC records: none counts."
            )
        if records:
            policy = _tags(records[0]).get("p", "").lower()
            if policy not in _POLICIES:
                return RecordCheck(
                    Grade.WRONG, f"the DMARC record at _dmarc.{name} has no valid p=."
                )
            return RecordCheck(Grade.GOOD, f"_dmarc.{name} says p={policy}.")
    needed = f'_dmarc.{domain} TXT "v=DMARC1; p=none; rua=mailto:dmarc@{domain}"'
    return RecordCheck(Grade.MISSING, f"{domain} has no DMARC record; needed: {needed}")


def bounces(lookup: Lookup, domain: str) -> RecordCheck:
    """See that what comes back has a way (RFC 5321 §5.1, RFC 7505). Raises DnsSilent."""
    hosts = lookup.exchangers(domain)
    if hosts == ["."]:
        return RecordCheck(
            Grade.WRONG, f"{domain} takes no mail (null MX): bounces cannot come back."
        )
    if not hosts:
        needed = f"{domain} MX 10 (the host that takes your bounces)"
        return RecordCheck(Grade.MISSING, f"{domain} has no MX record; bounces need one: {needed}")
    return RecordCheck(Grade.GOOD, f"bounces to {domain} have a way.")


def _up_the_tree(domain: str) -> Iterator[str]:
    """Yield the domain and those above it, at most eight, and no top-level domain."""
    labels = domain.split(".")
    if len(labels) > 8:
        yield domain
        labels = labels[-7:]
    while len(labels) > 1:
        yield ".".join(labels)
        labels = labels[1:]


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";") if "=" in part)
    return {name.strip().lower(): re.sub(r"\s", "", value) for name, _, value in pairs}
