"""The suppressed, as blind indexes, and operators' requests that wait for the sender.

The index is of a key of its own, so that no row here can be found beside a subscriber's. A row
tells neither who it is nor when it came; only what ends has a day. The readers' process may add
rows and never read one, or it could tell who had been here.
"""

from datetime import date

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, RandomId


class Suppression(Base):
    """One reason never to write to one address; an address may have several."""

    __tablename__ = "suppressions"
    __table_args__ = ({"sqlite_with_rowid": False},)

    blind_index: Mapped[bytes] = mapped_column(LargeBinary(33), primary_key=True)
    reason: Mapped[str] = mapped_column(String(16), primary_key=True)
    until: Mapped[date | None]


class SuppressionRequest(Base):
    """An address that an operator named, sealed: only the sender can compute its index."""

    __tablename__ = "suppression_requests"
    __table_args__ = ({"sqlite_with_rowid": False},)

    id: Mapped[bytes] = mapped_column(RandomId, primary_key=True)
    hot: Mapped[bytes] = mapped_column(LargeBinary(306))
    day: Mapped[date]
