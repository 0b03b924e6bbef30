"""Which process uses which generation of keys, and which generations were ever in use.

Neither tells anything of readers. A rotation waits for those who are alive; whoever starts with
keys older than those in use is refused, before it seals anything that nobody could open.
"""

from datetime import datetime

from sqlalchemy import SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, RandomId, UtcDateTime


class KeyUser(Base):
    """A running process; `seals` and `knows` are generations, `knows` is 0 if it opens nothing."""

    __tablename__ = "key_users"

    id: Mapped[bytes] = mapped_column(RandomId, primary_key=True)
    role: Mapped[str] = mapped_column(String(40))
    seals: Mapped[int] = mapped_column(SmallInteger)
    knows: Mapped[int] = mapped_column(SmallInteger)
    until: Mapped[datetime] = mapped_column(UtcDateTime)


class Generation(Base):
    """A generation of keys that was taken into use."""

    __tablename__ = "generations"

    kid: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
