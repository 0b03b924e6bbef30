"""An issue as it was stored, for which segments it is approved, and the photos it shows.

An issue is one document, stored whole or not at all; an approved one is closed to edits. A photo
never changes, and stays as long as an issue shows it.
"""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Integer, LargeBinary, SmallInteger, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, UtcDateTime


class Issue(Base):
    """One week's content as JSON, the newest version; `etag` changes with each.

    `corrections` is JSON: what readers are told of corrections and withdrawn commentaries.
    """

    __tablename__ = "issues"

    week: Mapped[str] = mapped_column(String(8), primary_key=True)
    content: Mapped[str] = mapped_column(Text)
    etag: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    corrections: Mapped[str] = mapped_column(Text, default="{}", server_default="{}")


class IssueVersion(Base):
    """One version of a launched issue, for operators; the last is the issue's own content.

    There are none while nothing was changed. `kind` is original, revision, correction, withdrawal
    or reinstatement; `corrections` as in the issue.
    """

    __tablename__ = "issue_versions"

    week: Mapped[str] = mapped_column(
        String(8), ForeignKey("issues.week", ondelete="RESTRICT"), primary_key=True
    )
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16))
    content: Mapped[str] = mapped_column(Text)
    corrections: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by: Mapped[str] = mapped_column(String(80))


class Approval(Base):
    """This issue may go to this segment, unless the approval was withdrawn.

    The row of a withdrawn one stays only where a recalled mailing needs it.
    """

    __tablename__ = "approvals"

    week: Mapped[str] = mapped_column(
        String(8), ForeignKey("issues.week", ondelete="RESTRICT"), primary_key=True
    )
    segment: Mapped[str] = mapped_column(String(40), primary_key=True)
    approved_by: Mapped[str] = mapped_column(String(80))
    approved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn: Mapped[bool] = mapped_column(default=False, server_default=false())


class Photo(Base):
    """A picture drawn anew, without its past; `id` is the SHA-256 of `content`, in hex."""

    __tablename__ = "photos"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(20))
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    size: Mapped[int] = mapped_column(Integer)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    day: Mapped[date] = mapped_column(Date)


class PhotoVersion(Base):
    """The picture for messages; `step` 0 is the best, each further one has fewer bytes."""

    __tablename__ = "photo_versions"

    photo_id: Mapped[str] = mapped_column(
        String(64), ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True
    )
    step: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    media_type: Mapped[str] = mapped_column(String(20))
    size: Mapped[int] = mapped_column(Integer)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class IssuePhoto(Base):
    """This issue shows this photo, or an earlier version did, and so holds it fast.

    A photo that only withdrawn commentaries show is `withdrawn`: no reader gets it any more.
    """

    __tablename__ = "issue_photos"

    week: Mapped[str] = mapped_column(
        String(8), ForeignKey("issues.week", ondelete="CASCADE"), primary_key=True
    )
    photo_id: Mapped[str] = mapped_column(
        String(64), ForeignKey("photos.id", ondelete="RESTRICT"), primary_key=True, index=True
    )
    withdrawn: Mapped[bool] = mapped_column(default=False, server_default=false())
