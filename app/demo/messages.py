"""Reading the messages that came: parts, links, and whether each reader got their own. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import NamedTuple

from app.demo.readers import Reader
from app.demo.smtpd import ReceivedMessage
from app.newsletter import Newsletter


class Edition(NamedTuple):
    """What a message of a mailing is, as its headers say it."""

    segment: str
    language: str
    subject: str


def read(message: ReceivedMessage) -> EmailMessage:
    """Parse a message."""
    return message_from_bytes(message.raw, policy=policy.default)


def part(message: EmailMessage, kind: str) -> str:
    """Return the text of the part `kind` ("html" or "plain"), or nothing."""
    body = message.get_body((kind,))
    return str(body.get_content()) if body is not None else ""


def confirm_link(message: EmailMessage, public: str) -> str | None:
    """Return the link in the text part that confirms a subscription."""
    found = re.search(rf"{re.escape(public)}/confirm/\S+", part(message, "plain"))
    return found[0] if found else None


def one_click_link(message: EmailMessage) -> str | None:
    """Return the link that unsubscribes with one click (RFC 8058), if the message has one."""
    found = re.search(r"<(https?://[^<>]+)>", str(message["List-Unsubscribe"] or ""))
    return found[1] if found and message["List-Unsubscribe-Post"] else None


def edition_of(message: EmailMessage) -> Edition | None:
    """Say which edition this message is; None for one that belongs to no mailing."""
    found = re.search(r"<([a-z0-9-]+)\.[^<>]*>", str(message["List-Id"] or ""))
    if found is None:
        return None
    return Edition(found[1], str(message["Content-Language"]), str(message["Subject"]))


def faults(
    messages: Iterable[ReceivedMessage],
    readers: Iterable[Reader],
    newsletter: Newsletter,
    subjects: Mapping[tuple[str, str], str],
) -> list[str]:
    """List every message that is missing, too many or not as it should be; nothing if all is well.

    `subjects` names the subject of each edition, by segment and language.
    """
    wanted = Counter(
        (reader.address, Edition(*edition, subjects[edition]))
        for reader in readers
        for edition in reader.editions(newsletter)
    )
    came = Counter(
        (recipient, edition)
        for message in messages
        if (edition := edition_of(read(message))) is not None
        for recipient in message.recipients
    )
    return [f"missing: {_named(*each)}" for each in (wanted - came).elements()] + [
        f"too many: {_named(*each)}" for each in (came - wanted).elements()
    ]


def _named(address: str, edition: Edition) -> str:
    return f"{edition.segment} in {edition.language} for {address}"
