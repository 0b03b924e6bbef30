"""What a sender counts once an hour, for operators and monitors; see `operators.published_counts`.

All that one person's act changes is among it: subscriptions, who left, the inbox, confirmation and
other service messages, suppressions, messages withheld from an address.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.database import Database
from app.deliveries.ledger.models import Delivery
from app.newsletter import Newsletter
from app.operators.published_counts import is_due, publish
from app.rate_limits.refusals import ADDRESS, refused_since
from app.subscribers.counts import counts
from app.subscribers.models import SignUp
from app.subscribers.service_message_kinds import ALREADY_SUBSCRIBED, CONFIRMATION, MANAGE_LINK
from app.suppressions.lookup import counts as suppressed

PERSONAL = (CONFIRMATION, MANAGE_LINK, ALREADY_SUBSCRIBED)
"""Kinds of messages of which each is one person's doing."""


def publish_counts(database: Database, newsletter: Newsletter, *, now: datetime) -> bool:
    """Write this hour's counts if they are missing; tell whether they were."""
    with database.reading() as session:
        if not is_due(session, now=now):
            return False
    with database.transaction() as session:
        return publish(session, lambda: _counted(session, newsletter, now), now=now)


def _counted(session: Session, newsletter: Newsletter, now: datetime) -> Mapping[str, Any]:
    segments = {
        str(row["segment"]): {
            name: row[name] for name in ("confirmed", "pending", "languages", "left")
        }
        for row in counts(session, newsletter)
    }
    waiting: dict[str, dict[str, int]] = {}
    by_kind = (
        select(Delivery.kind, Delivery.state, func.count())
        .where(Delivery.kind.in_(PERSONAL))
        .group_by(Delivery.kind, Delivery.state)
    )
    for kind, state, count in session.execute(by_kind):
        waiting.setdefault(kind, {})[state] = count
    return {
        "segments": segments,
        "suppressed": suppressed(session, today=now.date()),
        "sign_ups": session.scalar(select(func.count()).select_from(SignUp)) or 0,
        "messages": waiting,
        "withheld": refused_since(session, now.date())[ADDRESS],
    }
