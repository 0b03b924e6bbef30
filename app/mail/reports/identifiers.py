"""Where a report belongs, by what it carries of ours: return paths, envelope ids, Message-IDs."""

import re
from collections.abc import Iterable, Iterator

from app.mail.reports.addresses import FOUND, tidy
from app.mail.reports.headers import Headers

MOST = 20  # of each

_ID = re.compile(r"<([^<>\s]{3,400})>")
_SENT_TO = (
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-rcpt-to",
    "to",
    "apparently-to",
    "cc",
)
_CAME_FROM = (
    "return-path",
    "original-mail-from",
    "x-original-mail-from",
    "x-envelope-from",
    "x-return-path",
    "sender",
    "errors-to",
)


def return_paths(outer: Headers, inner: Iterable[Headers]) -> tuple[str, ...]:
    """List the addresses the report was sent to, then those the message came from."""
    found = [*outer.all(*_SENT_TO), *(v for each in inner for v in each.all(*_CAME_FROM))]
    return _first(address for value in found for address in FOUND.findall(value[:2000]))


def message_ids(inner: Iterable[Headers], outer: Headers) -> tuple[str, ...]:
    """List the ids of the message returned, then those the report says it answers."""
    found = [v for each in inner for v in each.all("message-id", "original-message-id")]
    found += outer.all("in-reply-to", "references", "original-message-id", "x-original-message-id")
    return _first(f"<{each}>" for value in found for each in _ID.findall(value[:4000]))


def report_id(headers: Headers) -> str | None:
    """Give the report's own Message-ID, if it has one."""
    found = _ID.search(headers.first("message-id")[:1000])
    return f"<{found[1]}>" if found else None


def addresses(headers: Headers, *names: str) -> list[str]:
    """List the addresses in these fields."""
    found = (each for value in headers.all(*names) for each in FOUND.findall(value[:4000]))
    return list(dict.fromkeys(map(tidy, found)))[:MOST]


def _first(values: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))[:MOST]
