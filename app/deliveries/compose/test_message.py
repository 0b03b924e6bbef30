"""One message of an edition to an address that is no reader's: its unsubscribe link is nobody's."""

from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime

from app.addresses.address import EmailAddress
from app.deliveries.compose.message_headers import SenderIdentity
from app.issues.week import Week
from app.mail.dkim.signature import DkimKey, signatures
from app.mail.message.compiler import MessageTemplate
from app.newsletter import Segment
from app.tokens import NOBODY, LinkTokens, message_id, new_id


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
