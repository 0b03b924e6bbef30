"""The instance's identity, the fingerprints of its keys, its epochs, and events for the witnesses.

A fingerprint tells nothing of its key. An event waits without a position until a sender numbers
it, and goes after some days: it tells which row ended, never whose it was.
"""

from datetime import date

from sqlalchemy import BigInteger, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, RandomId, RowNumber


class Instance(Base):
    """The one row that claims this database; `position` counts what the witnesses were told."""

    __tablename__ = "instance"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(32))
    position: Mapped[int] = mapped_column(BigInteger, default=0)


class InstanceKey(Base):
    """The fingerprint of one key of this instance, such as `list.1`."""

    __tablename__ = "instance_keys"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(16))


class Epoch(Base):
    """One start of a sender and the position it went on from; `found` tells of a restore."""

    __tablename__ = "epochs"

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    mark: Mapped[str] = mapped_column(String(32), unique=True)
    began_at: Mapped[int] = mapped_column(BigInteger)
    day: Mapped[date]
    found: Mapped[str | None] = mapped_column(Text)


class WitnessEvent(Base):
    """One line for the witness files, in the transaction in which it became true."""

    __tablename__ = "witness_events"
    __table_args__ = (Index(None, "position"), {"sqlite_with_rowid": False})

    id: Mapped[bytes] = mapped_column(RandomId, primary_key=True)
    position: Mapped[int | None] = mapped_column(BigInteger)
    line: Mapped[str] = mapped_column(String(200))
    day: Mapped[date | None]
