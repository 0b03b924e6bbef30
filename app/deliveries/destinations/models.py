"""What all senders know together of a group of domains: its pace, and how many are under way.

A group's name is a keyed hash: no row tells which domain or provider it is, and none stands beside
a reader. Counts are of whole minutes.
"""

from datetime import datetime

from sqlalchemy import Float, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, RowNumber, UtcDateTime


class DestinationRate(Base):
    """How fast a group is written to, and whether it sent us away; null where it did not."""

    __tablename__ = "destination_rates"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    per_minute: Mapped[float | None] = mapped_column(Float)
    was: Mapped[float | None] = mapped_column(Float)
    lowered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    raised_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    blocked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    blocked_times: Mapped[int] = mapped_column(SmallInteger, default=0)


class DestinationInFlight(Base):
    """How many of a group's messages one sender has under way."""

    __tablename__ = "destinations_in_flight"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    sender_id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=False)
    count: Mapped[int]


class DestinationCount(Base):
    """How many messages a group was to get in one minute, for the limit of an hour."""

    __tablename__ = "destination_counts"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    minute: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    count: Mapped[int]
