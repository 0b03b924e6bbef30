"""An operator's request to suppress an address: sealed by the process that took it.

That process holds no index key, and shall not: the sender opens the request and computes the index.
"""

from datetime import date

from sqlalchemy import select

from app.addresses.address import EmailAddress
from app.addresses.keyring import Keyring
from app.addresses.public_keys import PublicKeys
from app.addresses.sealing import seal
from app.addresses.unsealing import SealBroken, open_sealed
from app.database import Transaction
from app.suppressions.models import SuppressionRequest
from app.tokens import new_id


def request(session: Transaction, keys: PublicKeys, address: EmailAddress, *, today: date) -> None:
    """Leave the wish that this address is never written to again."""
    row_id = new_id()
    hot = seal(keys.hot_sealing, row_id, address)
    session.add(SuppressionRequest(id=row_id, hot=hot, day=today))


def take_requests(
    session: Transaction, keyring: Keyring, *, limit: int = 200
) -> list[EmailAddress]:
    """Take waiting requests out, and return the addresses. Damaged ones are dropped."""
    waiting = session.scalars(
        select(SuppressionRequest).limit(limit).with_for_update(skip_locked=True)
    ).all()
    named = [found for each in waiting if (found := _opened(keyring, each))]
    for each in waiting:
        session.delete(each)
    session.flush()
    return named


def _opened(keyring: Keyring, waiting: SuppressionRequest) -> EmailAddress | None:
    try:
        return open_sealed(keyring.hot_opening, waiting.id, waiting.hot)
    except SealBroken:
        return None
