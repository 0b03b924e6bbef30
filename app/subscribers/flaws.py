"""What can be wrong with a sealed row, and the one way to open a subscriber's.

Whoever can write the database can change, swap, cut, plant or put back rows; none of that makes the
sender write to anyone, and each is told by its flaw, without saying whose row it is.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, select

from app.addresses.address import EmailAddress
from app.addresses.admission import AdmittedRow, NotAdmitted, open_admitted
from app.addresses.keys import Keyring
from app.addresses.sealing import SealBroken
from app.subscribers.models import Ending, Subscriber


class Flaw(StrEnum):
    """Why a row is not used."""

    CHANGED = "changed or planted"
    BROKEN = "does not open"
    TWO = "two addresses"
    REPLAYED = "put back"


ROW = (
    *(Subscriber.id, Subscriber.link_id, Subscriber.blind_index),
    *(Subscriber.sealed, Subscriber.admit),
)
"""The columns of an `AdmittedRow`, in its order."""

HAS_ENDED = select(Ending.id).where(Ending.id == Subscriber.id).exists().label("has_ended")
"""Whether this row was deleted once before: then it was put back."""


def rows() -> Select[bytes, bytes, bytes, bytes, bytes, bool]:
    """Select what `open_row` wants of subscribers."""
    return select(*ROW, HAS_ENDED)


def open_row(keyring: Keyring, row: AdmittedRow, *, has_ended: bool) -> EmailAddress | Flaw:
    """Return whom a subscriber's row is about, or what is wrong with it."""
    if has_ended:
        return Flaw.REPLAYED
    try:
        return open_admitted(keyring.admit, keyring.list_opening, row)
    except NotAdmitted:
        return Flaw.CHANGED
    except SealBroken:
        return Flaw.BROKEN


def admitted_row(row: Row[*tuple[Any, ...]]) -> AdmittedRow:
    """Return what `rows` selected of one subscriber."""
    return AdmittedRow(row.id, row.link_id, row.blind_index, row.sealed, row.admit)


def open_selected(keyring: Keyring, row: Row[*tuple[Any, ...]]) -> EmailAddress | Flaw:
    """Open a row that `rows` selected."""
    return open_row(keyring, admitted_row(row), has_ended=row.has_ended)
