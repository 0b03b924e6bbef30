"""Values that say where: folders, databases, addresses on the web, ports."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from app.settings.words import Unfit, separated


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
        raise Unfit("must not be empty")
    try:
        return Path(value).expanduser().resolve()
    except RuntimeError:
        raise Unfit("begins with the home of a user who is not there") from None


def optional_path(value: str) -> Path | None:
    """Read a path, or nothing."""
    return path(value) if value else None


def database_url(value: str) -> str:
    """Read a database URL; SQLite must name a file."""
    if not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise Unfit("must start with sqlite:/// or postgresql://")
    try:
        database = make_url(value).database
    except (ArgumentError, ValueError):
        raise Unfit("must be a database URL such as postgresql://user@host/name") from None
    if value.startswith("sqlite") and database in (None, "", ":memory:"):
        raise Unfit("must name a file: a database in memory is lost with the process")
    return value


def public_url(value: str) -> str:
    """Read the readers' URL: https, or http on a loopback host; without its last slash."""
    parts = urlsplit(value)
    plain = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if not parts.hostname or not (parts.scheme == "https" or plain):
        raise Unfit("must be an https:// address (http:// only for a loopback host)")
    if parts.query or parts.fragment or parts.username or not value.isascii():
        raise Unfit("must be plain ASCII without a query, a fragment or a user name")
    if not re.fullmatch(r"[A-Za-z0-9:/._~%\[\]-]{1,200}", value):
        raise Unfit("must hold only the characters of a URL, at most 200 of them")
    _ = parts.port
    return value.rstrip("/")


def origins(value: str) -> tuple[str, ...]:
    """Read web origins (RFC 6454 §6.2), with commas between."""
    listed = separated(value)
    for origin in listed:
        parts = urlsplit(origin)
        whole = f"{parts.scheme}://{parts.netloc}"
        if parts.scheme not in ("http", "https") or not parts.netloc or origin != whole:
            raise Unfit("must be origins such as https://www.example.org, with commas between")
    return listed


def listen(value: str) -> Listen:
    """Read HOST:PORT; an IPv6 host stands in brackets."""
    host, _, port = value.rpartition(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise Unfit("must be HOST:PORT, such as 127.0.0.1:8001")
    return Listen(host.strip("[]"), int(port))
