"""API keys, what operators did, and what they are told.

No password is stored, only the hash of each key; no row holds an address.
"""

from datetime import date, datetime

from sqlalchemy import Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, RandomId, RowNumber, UtcDateTime


class ApiKey(Base):
    """One operator's key: its hash, and what it may do."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    scopes: Mapped[str] = mapped_column(String(400))
    created_day: Mapped[date]
    expires_day: Mapped[date | None]
    revoked: Mapped[bool] = mapped_column(default=False)


class AuditEntry(Base):
    """Who did what to what, and when; only ever added to."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(200))


class Alert(Base):
    """Something operators should know; `key` makes the same news be told once."""

    __tablename__ = "alerts"
    __table_args__ = (Index(None, "at"),)

    id: Mapped[bytes] = mapped_column(RandomId, primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    text: Mapped[str] = mapped_column(Text)


class TestMessage(Base):
    """A test message that an operator asked for: of which edition, and to whom, sealed.

    `sealed` is null as soon as the outcome is known: nothing of the address is kept.
    """

    __test__ = False
    __tablename__ = "test_messages"
    __table_args__ = ({"sqlite_with_rowid": False},)

    id: Mapped[bytes] = mapped_column(RandomId, primary_key=True)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary(306))
    week: Mapped[str] = mapped_column(String(8))
    segment: Mapped[str] = mapped_column(String(40))
    language: Mapped[str] = mapped_column(String(8))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PublishedCounts(Base):
    """The one row of what operators may know of how many: rounded JSON, and of which hour."""

    __tablename__ = "published_counts"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    hour: Mapped[datetime | None] = mapped_column(UtcDateTime)
    content: Mapped[str] = mapped_column(Text)
