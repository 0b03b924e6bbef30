"""A sign-up is sealed and dropped into the inbox; the process that took it forgets it.

Whoever takes it cannot tell whether the address is known, so the answer is the same for everyone.
"""

from collections.abc import Sequence
from datetime import date

from app.addresses.address import EmailAddress
from app.addresses.keys import PublicKeys
from app.addresses.sealing import seal
from app.database import Transaction
from app.subscribers.models import SignUp
from app.tokens import new_id

SUBSCRIBE = "subscribe"
MANAGE = "manage"


def drop(
    session: Transaction,
    keys: PublicKeys,
    address: EmailAddress,
    *,
    segments: Sequence[str],
    language: str,
    consent: str,
    today: date,
    source: str | None = None,
) -> None:
    """Leave a request for `segments` in the inbox, sealed twice: to admit it, and to keep it."""
    row_id = new_id()
    session.add(
        SignUp(
            id=row_id,
            wish=SUBSCRIBE,
            hot=seal(keys.hot_sealing, row_id, address),
            sealed=seal(keys.list_sealing, row_id, address),
            segments=" ".join(segments),
            language=language,
            source=source,
            consent=consent,
            day=today,
        )
    )


def drop_manage_wish(
    session: Transaction, keys: PublicKeys, address: EmailAddress, *, language: str, today: date
) -> None:
    """Leave a request for a manage link in the inbox."""
    row_id = new_id()
    session.add(
        SignUp(
            id=row_id,
            wish=MANAGE,
            hot=seal(keys.hot_sealing, row_id, address),
            sealed=None,
            segments="",
            language=language,
            source=None,
            consent="",
            day=today,
        )
    )
