"""Sending an issue to one segment, and the weekly slots that were decided.

One mailing per issue and segment, whoever asks and how often; one that was recalled is taken up by
the next launch. A slot is decided once.
"""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, RowNumber, UtcDateTime


class Mailing(Base):
    """One issue on its way to one segment; `audience` is null until it is frozen.

    `over` is the window in seconds over which its messages are spread; null for none. `revision` is
    the edition that whoever has nothing yet gets; `sent_by_revision` is JSON, written when its rows
    become counts: how many got which.
    """

    __tablename__ = "mailings"
    __table_args__ = (
        UniqueConstraint("week", "segment"),
        ForeignKeyConstraint(
            ["week", "segment"], ["approvals.week", "approvals.segment"], ondelete="RESTRICT"
        ),
    )

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    week: Mapped[str] = mapped_column(String(8))
    segment: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12))
    audience: Mapped[int | None]
    launched_by: Mapped[str] = mapped_column(String(80))
    launched_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    over: Mapped[int | None]
    folded: Mapped[bool] = mapped_column(default=False)
    revision: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1")
    sent_by_revision: Mapped[str | None] = mapped_column(String(2000))


class Slot(Base):
    """A weekly moment that came, and what was decided then."""

    __tablename__ = "slots"

    segment: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    decision: Mapped[str] = mapped_column(String(12))
    week: Mapped[str | None] = mapped_column(String(8))


class Installation(Base):
    """When this database was made: slots before that do not count."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class KnownLaunch(Base):
    """A launch that a witness file knows and a restored database had forgotten.

    `sent` is how many messages of it are known to have gone; null if nobody knows.
    """

    __tablename__ = "known_launches"

    week: Mapped[str] = mapped_column(String(8), primary_key=True)
    segment: Mapped[str] = mapped_column(String(40), primary_key=True)
    sent: Mapped[int | None]
