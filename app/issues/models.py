"""An issue as it was stored, and for which segments it is approved.

An issue is one document, stored whole or not at all; an approved one is closed to edits.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, UtcDateTime


class Issue(Base):
    """One week's content as JSON; `etag` is a hash of it."""

    __tablename__ = "issues"

    week: Mapped[str] = mapped_column(String(8), primary_key=True)
    content: Mapped[str] = mapped_column(Text)
    etag: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Approval(Base):
    """This issue may go to this segment."""

    __tablename__ = "approvals"

    week: Mapped[str] = mapped_column(
        String(8), ForeignKey("issues.week", ondelete="RESTRICT"), primary_key=True
    )
    segment: Mapped[str] = mapped_column(String(40), primary_key=True)
    approved_by: Mapped[str] = mapped_column(String(80))
    approved_at: Mapped[datetime] = mapped_column(UtcDateTime)
