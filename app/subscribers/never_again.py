"""The link of a message that says: never write to me again. It needs no key."""

from datetime import date

from sqlalchemy import select

from app.database import Transaction
from app.subscribers.models import Subscriber
from app.subscribers.unsubscription import end
from app.suppressions.reasons import NEVER, last_day
from app.suppressions.suppressing import suppress
from app.tokens import NeverFacts


def never_again(session: Transaction, facts: NeverFacts, *, today: date) -> None:
    """Do what the link of a message asks: no message any more, whatever anybody fills in.

    It needs no key and no right to read an index: the token holds the one to be kept, and the link
    id tells whose it is. Had they signed up anew since, their newer row ends at its next message.
    """
    suppress(session, (facts.never_index,), NEVER, until=last_day(NEVER, today))
    query = select(Subscriber.id).where(Subscriber.link_id == facts.link_id).with_for_update()
    for subscriber_id in session.scalars(query).all():
        end(session, subscriber_id, None, NEVER, today=today)
