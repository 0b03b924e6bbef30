"""How many subscribe, by segment and language: all that anyone is shown of the list."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.newsletter import Newsletter
from app.subscribers.models import CONFIRMED, PENDING, Subscriber, Subscription, UnsubscribeCount


def counts(session: Session, newsletter: Newsletter) -> list[dict[str, object]]:
    """Return for each segment how many are confirmed (also by language), pending, or have left."""
    rows = session.execute(
        select(Subscription.segment, Subscription.state, Subscriber.language, func.count())
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .group_by(Subscription.segment, Subscription.state, Subscriber.language)
    ).all()
    left = session.execute(
        select(
            UnsubscribeCount.segment, UnsubscribeCount.reason, func.sum(UnsubscribeCount.count)
        ).group_by(UnsubscribeCount.segment, UnsubscribeCount.reason)
    ).all()
    return [
        {
            "segment": segment.id,
            "label": segment.label,
            "confirmed": sum(n for s, state, _, n in rows if (s, state) == (segment.id, CONFIRMED)),
            "pending": sum(n for s, state, _, n in rows if (s, state) == (segment.id, PENDING)),
            "languages": {
                language: n
                for s, state, language, n in rows
                if (s, state) == (segment.id, CONFIRMED)
            },
            "left": {reason: int(n) for s, reason, n in left if s == segment.id},
        }
        for segment in newsletter.segments
    ]
