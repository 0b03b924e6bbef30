"""An issue rendered for a segment in one reading language, and frozen.

Withdrawing the approval deletes its editions; a mailing keeps both in place for ever.
"""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, RowNumber, UtcDateTime


class Edition(Base):
    """What every reader of this segment and language gets, but for the link that is theirs.

    The newest `revision` is what goes; earlier ones went to whoever had it before.
    """

    __tablename__ = "editions"
    __table_args__ = (
        UniqueConstraint("week", "segment", "language", "revision"),
        ForeignKeyConstraint(
            ["week", "segment"], ["approvals.week", "approvals.segment"], ondelete="CASCADE"
        ),
    )

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    week: Mapped[str] = mapped_column(String(8))
    segment: Mapped[str] = mapped_column(String(40))
    language: Mapped[str] = mapped_column(String(8))
    revision: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1")
    subject: Mapped[str] = mapped_column(String(400))
    html: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    photos: Mapped[str] = mapped_column(Text, server_default="{}")  # JSON: id to step of version
    frozen_at: Mapped[datetime] = mapped_column(UtcDateTime)
