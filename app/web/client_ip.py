"""Who is calling: the peer of the connection, or whom a trusted proxy says it speaks for.

A list of hops is read from its right end, where our own proxies wrote; the first hop that is none
of them is the client. What stands further left anybody may have written, and is not looked at. Only
the one header named in the settings is read: a proxy passes the other one on as it came.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from itertools import islice

from starlette.types import Scope

from app.settings import Networks, Settings

Address = IPv4Address | IPv6Address

_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*(?:"([^"\\]*)"|([^\s;,"]+))', re.IGNORECASE)
_PORT = re.compile(r"(?:\[([^\]]*)\]|([0-9.]+))(?::[^:]*)?")
_HEADERS = (b"x-forwarded-for", b"forwarded")
_HOPS = 20  # that are read: proxies of our own, and the client before them
_READ = 200  # characters of a hop


@dataclass(frozen=True, slots=True)
class Callers:
    """What the settings say of those who call."""

    proxies: Networks
    header: str
    trusted: Networks

    @classmethod
    def of(cls, settings: Settings) -> "Callers":
        """Read the settings."""
        return cls(settings.trusted_proxies, settings.proxy_header, settings.trusted_clients)

    def client(self, scope: Scope) -> Address | None:
        """Return the client's address; None if nobody we trust can tell."""
        address = parsed((scope.get("client") or ("",))[0])
        if address is None or not self.proxies.hold(address):
            return address
        for hop in _hops(self.header, _values(scope, self.header)):
            address = parsed(hop)
            if address is None or not self.proxies.hold(address):
                return address
        return address

    def is_trusted(self, scope: Scope, client: Address | None) -> bool:
        """Tell whether this client is never limited.

        A request that was passed on by a proxy we were not told of is not: or all the world would
        be trusted, as soon as it comes through a proxy on a trusted machine. Nor is a proxy itself:
        a request without its header was made by it, or passed on by one that sets none.
        """
        if client is None or not self.trusted.hold(client) or self.proxies.hold(client):
            return False
        return not self.is_passed_on(scope)

    def is_passed_on(self, scope: Scope) -> bool:
        """Tell whether a proxy passed this on that the settings do not name."""
        peer = parsed((scope.get("client") or ("",))[0])
        passed_on = any(name in _HEADERS for name, _ in scope["headers"])
        return passed_on and not (peer is not None and self.proxies.hold(peer))


def prefix(address: Address | None) -> str:
    """Return what is counted as one client: an IPv4 address, the /56 of an IPv6 one."""
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 56), strict=False))
    return str(address)


def _values(scope: Scope, header: str) -> list[str]:
    name = header.lower().encode("ascii")
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _hops(header: str, values: Iterable[str]) -> Iterator[str]:
    """Yield the hops, the nearest first. Several fields are one list (RFC 9110 §5.3)."""
    whole = ",".join(values)
    if header == "Forwarded":  # RFC 7239 §4
        for element in islice(_from_the_right(whole), _HOPS):
            named = _FOR.search(element[:_READ])
            yield (named[1] or named[2] or "") if named else ""
        return
    hops = whole.rsplit(",", _HOPS)[-_HOPS:] if whole else []
    yield from (hop.strip()[:_READ] for hop in reversed(hops))


def _from_the_right(whole: str) -> Iterator[str]:
    """Yield the elements of a list, the last first; a comma between quotes separates nothing.

    From the right, because what stands there is well formed: a quote that the client left open on
    the left hides nothing of what a proxy wrote after it.
    """
    end, quoted = len(whole), False
    for place in range(len(whole) - 1, -1, -1):
        if whole[place] == '"' and not (quoted and whole[place - 1 : place] == "\\"):
            quoted = not quoted
        elif whole[place] == "," and not quoted:
            yield whole[place + 1 : end]
            end = place
    if end:
        yield whole[:end]


def parsed(text: str) -> Address | None:
    """Read an address, with or without a port; an IPv4 address may be written as an IPv6 one."""
    with_port = _PORT.fullmatch(text)
    bare = (with_port[1] or with_port[2] or "") if with_port else text
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
