"""Values that say where: folders, databases, addresses on the web, ports."""

import importlib
import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from app.settings.values import InvalidValue, separated


class Listen(NamedTuple):
    """Where a port listens."""

    host: str
    port: int


def is_loopback(host: str) -> bool:
    """Tell whether `host` names this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def path(value: str) -> Path:
    """Read a path, made absolute; `~` is a home."""
    if not value:
        raise InvalidValue("must not be empty")
    try:
        return Path(value).expanduser().resolve()
    except RuntimeError:
        raise InvalidValue("begins with the home of a user who is not there") from None


def optional_path(value: str) -> Path | None:
    """Read a path, or nothing."""
    return path(value) if value else None


def database_url(value: str) -> str:
    """Read a database URL; SQLite must name a file."""
    if not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise InvalidValue("must start with sqlite:/// or postgresql://")
    # Loaded only here: the supervisor reads other settings, and is 11 MB smaller without it.
    sqlalchemy = importlib.import_module("sqlalchemy")
    try:
        database = sqlalchemy.make_url(value).database
    except (ValueError, sqlalchemy.exc.ArgumentError):
        raise InvalidValue("must be a database URL such as postgresql://user@host/name") from None
    if value.startswith("sqlite") and database in (None, "", ":memory:"):
        raise InvalidValue("must name a file: a database in memory is lost with the process")
    return value


def public_url(value: str) -> str:
    """Read the readers' URL: https, or http on a loopback host; without its last slash."""
    parts = urlsplit(value)
    plain = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if not parts.hostname or not (parts.scheme == "https" or plain):
        raise InvalidValue("must be an https:// address (http:// only for a loopback host)")
    if parts.query or parts.fragment or parts.username or not value.isascii():
        raise InvalidValue("must be plain ASCII without a query, a fragment or a user name")
    if not re.fullmatch(r"[A-Za-z0-9:/._~%\[\]-]{1,200}", value):
        raise InvalidValue("must hold only the characters of a URL, at most 200 of them")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise InvalidValue("must have a port from 1 to 65535, or none")
    return value.rstrip("/")


def origins(value: str) -> tuple[str, ...]:
    """Read web origins (RFC 6454 §6.2), with commas between."""
    listed = separated(value)
    for origin in listed:
        parts = urlsplit(origin)
        whole = f"{parts.scheme}://{parts.netloc}"
        if parts.scheme not in ("http", "https") or not parts.netloc or origin != whole:
            raise InvalidValue(
                "must be origins such as https://www.example.org, with commas between"
            )
    return listed


def listen(value: str) -> Listen:
    """Read HOST:PORT; an IPv6 host stands in brackets."""
    host, _, port = value.rpartition(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise InvalidValue("must be HOST:PORT, such as 127.0.0.1:8001")
    return Listen(host.strip("[]"), int(port))


class Networks(tuple[IPv4Network | IPv6Network, ...]):
    """Addresses and networks; an address may be in one of them."""

    __slots__ = ()

    def hold(self, address: IPv4Address | IPv6Address) -> bool:
        """Tell whether the address is in one of them."""
        return any(address in network for network in self)

    def overlap(self, others: "Networks") -> list[str]:
        """Return those of ours, as text, that share an address with one of `others`."""
        return [
            str(ours)
            for ours in self
            if any(o.version == ours.version and o.overlaps(ours) for o in others)
        ]


def networks(value: str) -> Networks:
    """Read addresses and networks such as 192.0.2.7 or 2001:db8::/32, with commas between."""
    try:
        return Networks(ip_network(word) for word in separated(value))
    except ValueError:
        raise InvalidValue(
            "must be addresses or networks such as 10.0.0.0/8, with commas between"
        ) from (None)


def host_names(value: str) -> tuple[str, ...]:
    """Read host names or addresses without a port, with commas between."""
    listed = tuple(word.lower().rstrip(".") for word in separated(value))
    if not all(re.fullmatch(r"[a-z0-9_.-]{1,253}|\[[0-9a-f:.]{2,45}\]", word) for word in listed):
        raise InvalidValue("must be host names without a port, with commas between")
    return tuple(word.strip("[]") for word in listed)


class ImapPlace(NamedTuple):
    """A mailbox on an IMAP server. Without TLS only on this machine."""

    host: str
    port: int
    tls: bool
    username: str
    password: str
    folder: str

    def __repr__(self) -> str:
        """Show no password."""
        return f"ImapPlace({self.host}:{self.port})"


_IMAP_PORTS = {"imaps": 993, "imap+insecure": 143}


def imap_place(value: str) -> ImapPlace | None:
    """Read `imaps://user:password@host:993/FOLDER`, or nothing."""
    if not value:
        return None
    parts = urlsplit(value)
    host = parts.hostname or ""
    if parts.scheme not in _IMAP_PORTS or not host or not parts.username or not parts.password:
        raise InvalidValue("must be imaps://user:password@host:993/FOLDER")
    tls = parts.scheme == "imaps"
    if not tls and not is_loopback(host):
        raise InvalidValue("may go without TLS (imap+insecure://) to a loopback host only")
    user, password, folder = (
        unquote(each) for each in (parts.username, parts.password, parts.path.strip("/"))
    )
    if any(not each.isprintable() for each in (user, password, folder)):
        raise InvalidValue("must hold no control characters")
    port = parts.port or _IMAP_PORTS[parts.scheme]
    return ImapPlace(host, port, tls, user, password, folder or "INBOX")
