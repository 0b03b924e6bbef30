"""The list sealed, indexed and marked anew with the keys in use, a part at a time, and resumable.

A row is changed only if it is still the one that was read; who leaves meanwhile stays gone. Row and
link ids stay, so no link and no message changes. What is flawed is passed over: it never gets a
valid seal from us.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, func, or_, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from app.addresses.admission import admit_mac
from app.addresses.blind_index import blind_index
from app.addresses.keyring import Keyring
from app.addresses.sealing import seal
from app.database import Database, Transaction, is_deadlock
from app.key_rotation.duplicates import join_duplicate
from app.subscribers.models import Subscriber
from app.subscribers.row_integrity import Flaw, open_selected, rows

BATCH = 500


@dataclass
class Reencrypted:
    """How far it is: rows sealed anew, rows passed over because they are flawed."""

    done: int = 0
    flawed: int = 0
    after: bytes = b""


def key_id(column: Any, place: int) -> ColumnElement[bytes]:
    """Select the byte of a seal, an index or a mark that tells its key."""
    part: ColumnElement[bytes] = func.substr(column, place, 1)
    return part


def is_older(kid: int) -> ColumnElement[bool]:
    """Select the subscribers that are not wholly of generation `kid`."""
    new = bytes((kid,))
    return or_(
        key_id(Subscriber.sealed, 2) != new,
        key_id(Subscriber.blind_index, 1) != new,
        key_id(Subscriber.admit, 1) != new,
    )


def reencrypt_some(
    database: Database, keyring: Keyring, so_far: Reencrypted, *, today: date
) -> bool:
    """Seal the next rows anew; return whether there were any. Each call is one transaction."""
    with database.reading() as session:
        found = session.execute(
            rows()
            .where(Subscriber.id > so_far.after, is_older(keyring.generation))
            .order_by(Subscriber.id)
            .limit(BATCH)
        ).all()
    if not found:
        return False
    new = [each for row in found if (each := _sealed_anew(keyring, row)) is not None]
    _write(database, new, today)
    so_far.done += len(new)
    so_far.flawed += len(found) - len(new)
    so_far.after = found[-1].id
    return True


def _sealed_anew(keyring: Keyring, row: Row[*tuple[Any, ...]]) -> dict[str, bytes] | None:
    address = open_selected(keyring, row)
    if isinstance(address, Flaw):
        return None
    sealed = seal(keyring.list_sealing, row.id, address)
    index = blind_index(keyring.index, address)
    return {
        "row": row.id,
        "was": row.sealed,
        "new_sealed": sealed,
        "new_index": index,
        "new_admit": admit_mac(keyring.admit, row.id, row.link_id, index, sealed),
    }


def _write(database: Database, new: Sequence[dict[str, bytes]], today: date) -> None:
    try:
        with database.transaction() as session:
            _change(session, new)
    except DBAPIError as error:
        # Two rows of one address, made by two senders while the key changed; or a sender that goes
        # through the same readers in another order.
        if not (isinstance(error, IntegrityError) or is_deadlock(error)):
            raise
        for one in new:
            _write_one(database, one, today)


def _write_one(database: Database, one: dict[str, bytes], today: date) -> None:
    while True:
        try:
            with database.transaction() as session:
                join_duplicate(session, one["row"], one["new_index"], today=today)
                _change(session, [one])
        except OperationalError as error:
            if not is_deadlock(error):
                raise
        else:
            return


_TABLE = Subscriber.metadata.tables["subscribers"]
_CHANGE = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("row"), _TABLE.c.sealed == bindparam("was"))
    .values(
        sealed=bindparam("new_sealed"),
        blind_index=bindparam("new_index"),
        admit=bindparam("new_admit"),
    )
)


def _change(session: Transaction, new: Sequence[dict[str, bytes]]) -> None:
    if new:
        session.connection().execute(_CHANGE, new)
