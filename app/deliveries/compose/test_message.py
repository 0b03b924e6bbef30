"""Test messages: an edition as it would go, sent at once to given addresses, and marked as a test.

Nothing is stored and no subscriber is touched: the unsubscribe link in it belongs to nobody.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime

from app.addresses.address import EmailAddress
from app.deliveries.compose.composing import compiled_edition
from app.deliveries.compose.message_headers import SenderIdentity
from app.errors import DomainError
from app.issues.week import Week
from app.mail.dkim.signature import DkimKey, signatures
from app.mail.message.compiler import MessageTemplate
from app.mail.message.templates import Rendered
from app.mail.relay import Relay
from app.mail.replies import Answer, Outcome, classify
from app.mail.smtp.connection import Connection
from app.mail.smtp.timeouts import Timeouts
from app.newsletter import Segment
from app.tokens import LinkTokens, message_id, new_id

NOBODY = b"\0" * 8
_TIMEOUTS = Timeouts(greeting=15, command=15, data=15, dot=60)


class RelayUnreachable(DomainError):
    """No relay takes messages at this moment."""


def compile_test(
    post: SenderIdentity, rendered: Rendered, segment: Segment, language: str, week: Week
) -> MessageTemplate:
    """Compile the edition with a subject that says it is a test."""
    marked = replace(rendered, subject=f"[Test] {rendered.subject}")
    return compiled_edition(post, marked, segment.id, language, week)


def fill_test(
    template: MessageTemplate,
    links: LinkTokens,
    post: SenderIdentity,
    segment: Segment,
    week: Week,
    address: EmailAddress,
    now: datetime,
    keys: Sequence[DkimKey] = (),
) -> bytes:
    """Fill it for one address, and sign it as a real one would be."""
    secret = new_id()
    values = {
        "to": address.wire,
        "date": format_datetime(now),
        "message-id": f"{message_id(secret, 'test')}@{post.list_domain}",
        "unsubscribe": links.unsubscribe(NOBODY, week.number, segment.id),
    }
    head, body = template.head_and_body(values)
    return signatures(head, body, keys, at=int(now.timestamp())) + head + body


async def send_now(
    relays: Sequence[Relay], sender: str, messages: Sequence[tuple[str, bytes]], hostname: str
) -> list[Answer]:
    """Send each (recipient, message) over the first relay that can be reached.

    Raises RelayUnreachable if none can.
    """
    for relay in relays:
        opened = await Connection.open(relay, hostname, timeouts=_TIMEOUTS)
        if isinstance(opened, Connection):
            try:
                return [
                    await opened.send(sender, recipient, message, noted=_nothing_noted)
                    for recipient, message in messages
                ]
            finally:
                await opened.close()
    raise RelayUnreachable


def _nothing_noted() -> None:
    """A test message is not in the ledger."""


def sent(answer: Answer) -> bool:
    """Tell whether the relay took the message."""
    return classify(answer).outcome is Outcome.ACCEPTED
