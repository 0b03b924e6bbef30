"""Sign-ups waiting in the inbox, subscribers, their subscriptions, and the messages they asked for.

An address is here only sealed; row ids are random and dates are kept to the day, so that no column
tells who someone is or in which order people came. What has ended is deleted, and only counted; the
id of its row, which means nothing any more, stays a while, so that the row cannot come back.
"""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, RandomId, UtcDateTime

PENDING = "pending"
CONFIRMED = "confirmed"
SEALS = "seals"


class SignUp(Base):
    """What a form sent, sealed: it waits for the sender, who alone can read it."""

    __tablename__ = "sign_ups"
    __table_args__ = ({"sqlite_with_rowid": False},)

    id: Mapped[bytes] = mapped_column(RandomId, primary_key=True)
    wish: Mapped[str] = mapped_column(String(20))
    hot: Mapped[bytes] = mapped_column(LargeBinary(306))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary(306))
    segments: Mapped[str] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(8))
    source: Mapped[str | None] = mapped_column(String(32))
    consent: Mapped[str] = mapped_column(String(40))
    day: Mapped[date]


class Subscriber(Base):
    """A sealed address with its language. `admit` proves that the sender let it in.

    What only the sender has a use for is read only where it is asked for.
    """

    __tablename__ = "subscribers"
    __table_args__ = ({"sqlite_with_rowid": False},)

    id: Mapped[bytes] = mapped_column(RandomId, primary_key=True)
    link_id: Mapped[bytes] = mapped_column(LargeBinary(8), unique=True)
    blind_index: Mapped[bytes] = mapped_column(
        LargeBinary(33), unique=True, deferred=True, deferred_group=SEALS
    )
    sealed: Mapped[bytes] = mapped_column(LargeBinary(306), deferred=True, deferred_group=SEALS)
    admit: Mapped[bytes] = mapped_column(LargeBinary(33), deferred=True, deferred_group=SEALS)
    language: Mapped[str] = mapped_column(String(8))
    day: Mapped[date]
    told_day: Mapped[date | None]


class Subscription(Base):
    """One subscriber's standing request for one segment: pending, then confirmed, then gone."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        Index(None, "segment", "state", "subscriber_id"),
        {"sqlite_with_rowid": False},
    )

    subscriber_id: Mapped[bytes] = mapped_column(
        RandomId, ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True
    )
    segment: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[str] = mapped_column(String(12))
    consent: Mapped[str] = mapped_column(String(40))
    source: Mapped[str | None] = mapped_column(String(32))
    requested_day: Mapped[date]
    confirmed_day: Mapped[date | None]


class ServiceMessage(Base):
    """A message somebody asked for, with the fingerprint of the one link it carries, if any."""

    __tablename__ = "service_messages"
    __table_args__ = (Index(None, "subscriber_id"), {"sqlite_with_rowid": False})

    nonce: Mapped[bytes] = mapped_column(RandomId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    subscriber_id: Mapped[bytes] = mapped_column(
        RandomId, ForeignKey("subscribers.id", ondelete="CASCADE")
    )
    fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    segments: Mapped[str] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(8))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used: Mapped[bool] = mapped_column(default=False)


class DeletedRow(Base):
    """The id of a subscriber's row that was deleted: should such a row be there, it was put back.

    It goes when no key is left that could open a row of that time.
    """

    __tablename__ = "deleted_rows"
    __table_args__ = ({"sqlite_with_rowid": False},)

    id: Mapped[bytes] = mapped_column(RandomId, primary_key=True)
    day: Mapped[date]


class Quarantined(Base):
    """A row that was found flawed, of the inbox or the list; nobody is written to because of it."""

    __tablename__ = "quarantine"
    __table_args__ = ({"sqlite_with_rowid": False},)

    id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    flaw: Mapped[str] = mapped_column(String(24))
    day: Mapped[date]


class SpentProof(Base):
    """A proof of work that was used, so that it is not used twice. It tells no more than a day."""

    __tablename__ = "spent_proofs"
    __table_args__ = ({"sqlite_with_rowid": False},)

    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    until: Mapped[date]


class UnsubscribeCount(Base):
    """How many left, by day, segment and reason: all that is kept of those who left."""

    __tablename__ = "unsubscribe_counts"

    day: Mapped[date] = mapped_column(primary_key=True)
    segment: Mapped[str] = mapped_column(String(40), primary_key=True)
    reason: Mapped[str] = mapped_column(String(40), primary_key=True)
    count: Mapped[int]


class PendingRemoval(Base):
    """A reader who is gone but for the index, which the sender is to keep through `until`."""

    __tablename__ = "pending_removals"
    __table_args__ = ({"sqlite_with_rowid": False},)

    subscriber_id: Mapped[bytes] = mapped_column(
        RandomId, ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True
    )
    reason: Mapped[str] = mapped_column(String(16))
    until: Mapped[date | None]


class PendingLift(Base):
    """A reader who is suppressed for a complaint and signed up again: a confirmation lifts it."""

    __tablename__ = "pending_lifts"
    __table_args__ = ({"sqlite_with_rowid": False},)

    subscriber_id: Mapped[bytes] = mapped_column(
        RandomId, ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True
    )


class ConsentText(Base):
    """The words that imported subscribers had agreed to, as the operator gave them."""

    __tablename__ = "consent_texts"

    version: Mapped[str] = mapped_column(String(40), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    day: Mapped[date]
