"""What is kept of what came back: counts, and marks that cannot be laid beside a reader.

A mark stands under a pseudonym that only the link key can make: in a stolen database nobody can
tell whose messages came back, and so no provider's name beside a count tells of anyone.
"""

from datetime import date

from sqlalchemy import LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base

Pseudonym = LargeBinary(16)


class Returned(Base):
    """A message that came back in a class, once: whoever reports it again changes nothing."""

    __tablename__ = "bounces_seen"
    __table_args__ = ({"sqlite_with_rowid": False},)

    message: Mapped[bytes] = mapped_column(Pseudonym, primary_key=True)
    outcome: Mapped[str] = mapped_column(String(12), primary_key=True)
    day: Mapped[date]


class BounceMark(Base):
    """How many issues in a row came back from one reader; gone when one gets through, or in time.

    `week` is the last of them as a number, `hard_week` the last that said "no such mailbox".
    """

    __tablename__ = "bounce_marks"
    __table_args__ = ({"sqlite_with_rowid": False},)

    reader: Mapped[bytes] = mapped_column(Pseudonym, primary_key=True)
    week: Mapped[int]
    run: Mapped[int] = mapped_column(SmallInteger)
    hard: Mapped[int] = mapped_column(SmallInteger)
    hard_week: Mapped[int]
    since: Mapped[date]
    day: Mapped[date]


class OutcomeCount(Base):
    """How many messages came back, by issue, segment, class, reason and great provider."""

    __tablename__ = "outcome_counts"

    week: Mapped[str] = mapped_column(String(8), primary_key=True)
    segment: Mapped[str] = mapped_column(String(40), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(12), primary_key=True)
    reason: Mapped[str] = mapped_column(String(40), primary_key=True)
    provider: Mapped[str] = mapped_column(String(24), primary_key=True)
    count: Mapped[int]


class Diagnostic(Base):
    """What servers said, without addresses, hosts and numbers, and how often.

    `mark` stands for the text, which itself is kept only when it was said of several readers: what
    is said of one alone may name them.
    """

    __tablename__ = "diagnostics"

    week: Mapped[str] = mapped_column(String(8), primary_key=True)
    segment: Mapped[str] = mapped_column(String(40), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(12), primary_key=True)
    mark: Mapped[bytes] = mapped_column(Pseudonym, primary_key=True)
    text: Mapped[str | None] = mapped_column(String(200))
    count: Mapped[int]
    day: Mapped[date]
