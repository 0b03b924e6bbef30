"""A relay as configured: where it is, how it is reached, who we are there.

Its password is never in a repr, a message or a log; only `name` is. There is no way to configure
a relay that gets a password, or leaves this machine, without TLS.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from app.errors import Refusal


class RelayUnreadable(Refusal):
    """A relay is smtps://user:password@host:465 or smtp://user:password@host:587."""


class RelayUnsafe(Refusal):
    """A relay without TLS is on a loopback host and takes no password."""


class RelayLimitWrong(Refusal):
    """A relay's limits are ?connections=, per_second=, per_hour=, per_day= and per_connection=.

    Each is a whole number from 1.
    """


class Security(StrEnum):
    """How the connection is protected, by the scheme of the URL."""

    TLS = "smtps"  # from the first byte (RFC 8314 §3.3)
    STARTTLS = "smtp"  # required: no letter goes if it fails
    NONE = "smtp+insecure"


_PORTS = {Security.TLS: 465, Security.STARTTLS: 587, Security.NONE: 25}
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a relay wants no more of; None where it does not care.

    `connections` at a time and letters `per_second`, `per_hour`, `per_day` hold over all senders
    together; `per_connection` is how many letters one connection may carry.
    """

    connections: int | None = None
    per_second: int | None = None
    per_hour: int | None = None
    per_day: int | None = None
    per_connection: int | None = None

    @property
    def pace(self) -> bool:
        """Whether letters are counted."""
        return any((self.per_second, self.per_hour, self.per_day))


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Relay:
    """The SMTP server that takes our letters."""

    host: str
    port: int
    security: Security
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    limits: Limits = NO_LIMITS

    @property
    def name(self) -> str:
        """Host and port, as logs and pages name the relay."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, url: str) -> "Relay":
        """Read a relay's URL. Raises RelayUnreadable, RelayUnsafe; neither repeats the URL."""
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
        limits = _limits(url.query)
        return cls(url.hostname or "", port, security, username, password, limits)


def _limits(query: str) -> Limits:
    pairs = parse_qsl(query, keep_blank_values=True)
    known = set(Limits.__dataclass_fields__)
    if len(dict(pairs)) < len(pairs) or not known.issuperset(dict(pairs)):
        raise RelayLimitWrong
    if not all(re.fullmatch(r"[1-9]\d{0,8}", number) for _, number in pairs):
        raise RelayLimitWrong
    return Limits(**{name: int(number) for name, number in pairs})


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
