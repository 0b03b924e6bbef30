"""Rehearsal: an edition's messages to readers who do not exist. Nothing is stored, nothing is sent.

Keys that are thrown away make their links, so a message left in a folder opens nothing.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.addresses.address import EmailAddress
from app.deliveries.compose.message_headers import SenderIdentity, compile_issue
from app.deliveries.compose.test_message import fill_test
from app.issues.week import Week
from app.mail.dkim.signature import DkimKey
from app.mail.message.compiler import marker
from app.mail.message.self_check import check_message
from app.mail.message.templates import Rendered
from app.newsletter import Segment
from app.tokens import NOBODY, LinkTokens

READERS = {
    "short": "a@example.org",
    "long": f"{'l' * 64}@{'.'.join(['d' * 59] * 2)}.{'d' * 57}.example.org",
    "idn": "reader@вестка.example.org",
}
"""One address of each kind: as short and as long as they come, and with a domain outside ASCII."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A message to one of `READERS`, and what `check_message` objects to in it."""

    reader: str
    message: bytes
    objections: tuple[str, ...]


def rehearse(
    post: SenderIdentity,
    rendered: Rendered,
    segment: Segment,
    language: str,
    week: Week,
    now: datetime,
    keys: Sequence[DkimKey] = (),
) -> Iterator[Rehearsed]:
    """Write, sign and check a message to each of `READERS`. Raises what `compile_issue` raises."""
    links = LinkTokens({1: secrets.token_bytes(64)}, 1)
    template = compile_issue(post, rendered, segment, language, str(week))
    token = links.unsubscribe(NOBODY, week.number, segment.id)
    text, html = (
        part.replace(marker("unsubscribe", len(token)), token)
        for part in (rendered.text, rendered.html)
    )
    for name, typed in READERS.items():
        address = EmailAddress.parse(typed)
        message = fill_test(template, links, post, segment, week, address, now, keys)
        wrong = check_message(message, subject=rendered.subject, text=text, html=html)
        yield Rehearsed(name, message, wrong)
