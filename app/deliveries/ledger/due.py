"""Due messages as they are read: the claim, and whom it is for, still sealed.

One query for each kind of message answers all that decides whether it may go at this moment.
"""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, and_, literal, select

from app.addresses.admission import AdmittedRow
from app.deliveries.ledger.models import Delivery
from app.mailings.models import Mailing
from app.mailings.states import RUNNING
from app.subscribers.models import CONFIRMED, ServiceMessage, Subscriber, Subscription
from app.subscribers.row_integrity import HAS_ENDED, ROW


class Claim(NamedTuple):
    """A message that this sender has taken on."""

    delivery_id: int
    kind: str
    mailing_id: int | None
    subscriber_id: bytes | None
    service_message_id: bytes | None
    attempts: int
    expires_at: datetime


class Reader(NamedTuple):
    """Whom a message goes to, still sealed, and the language to use."""

    row: AdmittedRow
    has_ended: bool
    language: str


class Due(NamedTuple):
    """A claim, the state of its mailing, and its reader; None if that one does not want it now.

    `revision` is that of the edition which the mailing sends at this moment.
    """

    claim: Claim
    mailing: str
    reader: Reader | None
    revision: int = 1


_CLAIM = (
    *(Delivery.id, Delivery.kind, Delivery.mailing_id, Delivery.subscriber_id),
    *(Delivery.service_message_id, Delivery.attempts, Delivery.expires_at),
)


def of_issues() -> Select[*tuple[Any, ...]]:
    """Select messages of mailings; their readers are those who are confirmed in the segment.

    How the subscription stands is read, not asked for: PostgreSQL, before it knows the tables,
    would look for the reader among all that are confirmed.
    """
    theirs = and_(
        Subscription.subscriber_id == Delivery.subscriber_id,
        Subscription.segment == Mailing.segment,
    )
    return (
        select(
            *(*_CLAIM, Mailing.state, Mailing.revision, Subscription.state),
            *(*ROW, HAS_ENDED, Subscriber.language),
        )
        .join(Mailing, Mailing.id == Delivery.mailing_id)
        .outerjoin(Subscription, theirs)
        .outerjoin(Subscriber, Subscriber.id == Subscription.subscriber_id)
    )


def of_messages() -> Select[*tuple[Any, ...]]:
    """Select messages that belong to no mailing; their readers are those who asked, and wait."""
    wanted = and_(
        ServiceMessage.nonce == Delivery.service_message_id, ServiceMessage.used.is_(False)
    )
    return (
        select(
            *(*_CLAIM, literal(RUNNING), literal(1), literal(CONFIRMED)),
            *(*ROW, HAS_ENDED, ServiceMessage.language),
        )
        .outerjoin(ServiceMessage, wanted)
        .outerjoin(Subscriber, Subscriber.id == ServiceMessage.subscriber_id)
        .where(Delivery.mailing_id.is_(None))
    )


def due(row: Row[*tuple[Any, ...]]) -> Due:
    """Read what one of the two selects found."""
    claim, mailing, revision, subscription, rest = row[:7], row[7], row[8], row[9], row[10:]
    wants = subscription == CONFIRMED and rest[0] is not None
    reader = Reader(AdmittedRow(*rest[:5]), rest[5], rest[6]) if wants else None
    return Due(Claim(*claim), mailing, reader, revision)
