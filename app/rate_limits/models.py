"""What was taken of an allowance in one slot of time, and how often it was refused, by day.

A tag is a keyed hash over whom and when, so two rows tell neither whom they count nor whether it is
the same one; a row is deleted when its slot counts no more.
"""

from datetime import date, datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, UtcDateTime


class RateLimitCount(Base):
    """How much somebody took in one slot. `until` is a border between slots, no one's time."""

    __tablename__ = "rate_limit_counts"
    __table_args__ = (Index(None, "until"), {"sqlite_with_rowid": False})

    tag: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    until: Mapped[datetime] = mapped_column(UtcDateTime)
    count: Mapped[int]


class RateLimitRefusal(Base):
    """How many requests were refused or messages withheld on a day, and why."""

    __tablename__ = "rate_limit_refusals"

    day: Mapped[date] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(String(20), primary_key=True)
    count: Mapped[int]
