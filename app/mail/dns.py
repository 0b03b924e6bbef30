"""Asking DNS, for those who set a sender up. Messages never wait for it."""

from typing import Protocol

import dns.exception
import dns.resolver
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

SECONDS = 4.0


class DnsSilent(Exception):
    """DNS does not answer: nothing is known, neither that a record is there nor that it is not."""


class Lookup(Protocol):
    """Who may be asked for records."""

    def texts(self, name: str) -> list[str]:
        """Return the TXT records of a name, each in one piece. Raises DnsSilent."""
        ...

    def exchangers(self, name: str) -> list[str]:
        """Return the hosts of a name's MX records, `.` for a null MX. Raises DnsSilent."""
        ...


class Dns:
    """The resolver that this machine uses."""

    def __init__(self) -> None:
        """Read which one that is, if it is written down. Raises DnsSilent."""
        try:
            self._resolver = dns.resolver.Resolver()
        except dns.resolver.NoResolverConfiguration:
            raise DnsSilent from None
        self._resolver.lifetime = SECONDS

    def texts(self, name: str) -> list[str]:
        """Join the strings of each record (RFC 7208 §3.3, RFC 6376 §3.6.2.2)."""
        found = (each for each in self._ask(name, "TXT") if isinstance(each, TXT))
        return [b"".join(each.strings).decode("utf-8", "replace") for each in found]

    def exchangers(self, name: str) -> list[str]:
        """Return the hosts, in no order."""
        return [str(each.exchange) for each in self._ask(name, "MX") if isinstance(each, MX)]

    def _ask(self, name: str, kind: str) -> list[dns.rdata.Rdata]:
        try:
            return list(self._resolver.resolve(name, kind, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException:  # no servers, no time, no such thing as this name
            raise DnsSilent from None
