"""A relay as configured: where it is, how it is reached, who we are there.

Its password is never in a repr, a message or a log; only `name` is. There is no way to configure
a relay that gets a password, or leaves this machine, without TLS.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from typing import TypedDict
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from app.errors import DomainError
from app.mail.domain_patterns import Pattern
from app.mail.limits import NAMES, NO_LIMITS, Limits, LimitWrong, read_limits


class RelayUnreadable(DomainError):
    """A relay is smtps://user:password@host:465 or smtp://user:password@host:587."""


class RelayUnsafe(DomainError):
    """A relay without TLS is on a loopback host and takes no password."""


class RelayLimitWrong(DomainError):
    """A relay's options are limits, weight=, segment=, domain= and warm_up=.

    The limits are connections=, per_second=, per_minute=, per_hour=, per_day= and per_connection=.
    """


class Security(StrEnum):
    """How the connection is protected, by the scheme of the URL."""

    TLS = "smtps"  # from the first byte (RFC 8314 §3.3)
    STARTTLS = "smtp"  # required: no message goes if it fails
    NONE = "smtp+insecure"


_PORTS = {Security.TLS: 465, Security.STARTTLS: 587, Security.NONE: 25}
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+")


@dataclass(frozen=True, slots=True)
class Relay:
    """The SMTP server that takes our messages."""

    host: str
    port: int
    security: Security
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    limits: Limits = NO_LIMITS
    weight: int = 1
    segments: tuple[str, ...] = ()
    domains: tuple[Pattern, ...] = ()

    @property
    def name(self) -> str:
        """Host and port, as logs and pages name the relay."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_bound(self) -> bool:
        """Whether it is there for some messages only."""
        return bool(self.segments or self.domains)

    def takes_segment(self, segment: str) -> bool:
        """Tell whether messages to this segment may go by this relay, to some domain at least."""
        return not self.segments or segment in self.segments

    def takes(self, segment: str | None, domain: str) -> bool:
        """Tell whether a message to `domain` may go by this relay; `segment` None: it has none."""
        if self.segments and (segment is None or not self.takes_segment(segment)):
            return False
        return not self.domains or any(each.matches(domain) for each in self.domains)

    @classmethod
    def parse(cls, url: str) -> "Relay":
        """Read a relay's URL.

        Raises RelayUnreadable, RelayUnsafe, RelayLimitWrong or WarmUpWrong; none repeats the URL.
        """
        if not url.isascii() or not url.isprintable() or " " in url:
            raise RelayUnreadable
        try:
            relay = cls._read(urlsplit(url))
        except ValueError:
            raise RelayUnreadable from None
        if relay.security is Security.NONE and (relay.username or not _is_loopback(relay.host)):
            raise RelayUnsafe
        return relay

    @classmethod
    def _read(cls, url: SplitResult) -> "Relay":
        security = Security(url.scheme)
        username, password = _credential(url.username), _credential(url.password)
        one_sided = (username is None) != (password is None)
        if one_sided or url.path.strip("/") or url.fragment:
            raise RelayUnreadable
        if not _HOST.fullmatch(url.hostname or "") or url.port == 0:
            raise RelayUnreadable
        port = url.port or _PORTS[security]
        options = _options(url.query)
        return cls(url.hostname or "", port, security, username, password, **options)


class _Options(TypedDict):
    limits: Limits
    weight: int
    segments: tuple[str, ...]
    domains: tuple[Pattern, ...]


def _options(query: str) -> _Options:
    """Read what stands behind the question mark; only segments and domains may be repeated."""
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        given.setdefault(name, []).append(value)
    segments, domains = given.pop("segment", []), given.pop("domain", [])
    if any(len(values) > 1 for values in given.values()) or "" in segments:
        raise RelayLimitWrong
    once = {name: values[0] for name, values in given.items()}
    weight = once.pop("weight", "1")
    if not re.fullmatch(r"[1-9]\d{0,2}", weight):
        raise RelayLimitWrong
    if not NAMES.issuperset(once.keys() - {"warm_up"}):
        raise RelayLimitWrong
    try:
        limits = read_limits(once)
    except LimitWrong as wrong:
        raise RelayLimitWrong(str(wrong)) from None
    patterns = tuple(Pattern.parse(each) for each in domains)
    return _Options(limits=limits, weight=int(weight), segments=tuple(segments), domains=patterns)


def _credential(text: str | None) -> str | None:
    if text is None:
        return None
    decoded = unquote(text, errors="strict")
    if not decoded or "\0" in decoded:  # NUL parts the fields of AUTH PLAIN (RFC 4616 §2)
        raise RelayUnreadable
    return decoded


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
