"""What the tests of the ledger need: mailings that are enrolled, and messages that are claimed."""

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.deliveries.ledger.claiming import claim
from app.deliveries.ledger.due import Claim
from app.deliveries.ledger.enrolment import enrol
from app.deliveries.ledger.leases import register
from app.deliveries.ledger.models import Delivery
from app.issues.week import Week
from app.mailings.launch import launch
from app.mailings.models import Mailing
from tests.support.builders import NEWSLETTER, WEEK, a_subscriber, an_issue
from tests.support.clock import MONDAY

LIFE = timedelta(hours=48)


def a_mailing(
    session: Transaction,
    keyring: Keyring,
    readers: int = 3,
    *,
    week: Week = WEEK,
    over: timedelta | None = None,
    now: datetime = MONDAY,
) -> Mailing:
    """Launch an issue to `readers` new readers of English, and enrol them."""
    an_issue(session, week, approved=["en"], now=now)
    for number in range(readers):
        a_subscriber(session, keyring, f"reader-{number}-{week}@example.org", now=now)
    mailing, _ = launch(session, week, NEWSLETTER.segment("en"), by="editor", over=over, now=now)
    enrol(session, life=LIFE, now=now)
    session.flush()
    return mailing


def a_sender(session: Transaction, identity: str = "one", *, now: datetime = MONDAY) -> int:
    """Register a sender whose journals are nowhere."""
    return register(session, identity, "/nowhere/attempts", now=now)


def claimed(database: Database, keyring: Keyring, readers: int = 3) -> tuple[int, int, list[Claim]]:
    """Make a mailing and let a sender claim it all; return mailing, sender and claims."""
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, readers)
        sender_id = a_sender(session)
        claims = [due.claim for due in claim(session, sender_id, limit=readers, now=MONDAY)]
        assert len(claims) == readers
        return mailing.id, sender_id, claims


def states(session: Session) -> Counter[str]:
    """Count the messages by state."""
    return Counter(session.scalars(select(Delivery.state)))


def row(session: Session, delivery_id: int) -> Delivery:
    """Read a message's row as it is now."""
    return session.get_one(Delivery, delivery_id, populate_existing=True)
