"""The ledger: one row per message to one reader, and the senders that claim its rows.

`subscriber_id` has no foreign key: a reader's row may be deleted, the ledger keeps its balance. No
number of a message or a sender is ever given twice: an attempt journal may still tell of it.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, RandomId, RowNumber, UtcDateTime


class Delivery(Base):
    """One message to one reader, and where it stands.

    `revision` is that of the edition it was last claimed with; null before its first claim, and
    for a mailing from before there were revisions.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("mailing_id", "subscriber_id"),
        Index(
            "ix_deliveries_due",
            "mailing_id",
            "due_at",
            "id",
            postgresql_where=text("state IN ('pending', 'deferred')"),
            sqlite_where=text("state IN ('pending', 'deferred')"),
        ),
        Index(
            "ix_deliveries_claimed",
            "claimed_by",
            postgresql_where=text("claimed_by IS NOT NULL"),
            sqlite_where=text("claimed_by IS NOT NULL"),
        ),
        Index("ix_deliveries_mailing_id_state", "mailing_id", "state", "reason"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    mailing_id: Mapped[int | None] = mapped_column(RowNumber, ForeignKey("mailings.id"))
    subscriber_id: Mapped[bytes | None] = mapped_column(RandomId)
    service_message_id: Mapped[bytes | None] = mapped_column(LargeBinary(16), unique=True)
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(String(40))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    claimed_by: Mapped[int | None] = mapped_column(RowNumber)
    reply_code: Mapped[int | None] = mapped_column(SmallInteger)
    reply_status: Mapped[str | None] = mapped_column(String(12))
    relay: Mapped[str | None] = mapped_column(String(280))
    attempted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revision: Mapped[int | None] = mapped_column(SmallInteger)


class Sender(Base):
    """A sending process: its claims are good while its lease runs."""

    __tablename__ = "senders"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    identity: Mapped[str] = mapped_column(String(40), index=True)
    journals: Mapped[str] = mapped_column(String(1000))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime] = mapped_column(UtcDateTime)


class AggregatedCount(Base):
    """What is left of a mailing's rows after the retention time: counts."""

    __tablename__ = "aggregated_counts"

    mailing_id: Mapped[int] = mapped_column(RowNumber, ForeignKey("mailings.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(12), primary_key=True)
    reason: Mapped[str] = mapped_column(String(40), primary_key=True)
    count: Mapped[int]


class RelayPace(Base):
    """The next instant at which a message may go to a relay that wants only so many a second."""

    __tablename__ = "relay_rates"

    relay: Mapped[str] = mapped_column(String(280), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RelayGrant(Base):
    """How many messages a relay was to get, for the limits of an hour and a day."""

    __tablename__ = "relay_grants"
    __table_args__ = (Index(None, "relay", "at"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    relay: Mapped[str] = mapped_column(String(280))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    count: Mapped[int]


class RelayConnection(Base):
    """One of the connections that a relay allows to all senders together, and who has it."""

    __tablename__ = "relay_connections"

    relay: Mapped[str] = mapped_column(String(280), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sender_id: Mapped[int | None] = mapped_column(RowNumber)
