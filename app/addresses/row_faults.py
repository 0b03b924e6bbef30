"""What can be wrong with a sealed row, and the one way to open a subscriber's.

Whoever can write the database can change, swap, cut, plant or put back rows; none of that makes the
sender write to anyone, and each is told by its flaw, without saying whose row it is.
"""

from enum import StrEnum

from app.addresses.address import EmailAddress
from app.addresses.admission import AdmittedRow, NotAdmitted, open_admitted
from app.addresses.keyring import Keyring
from app.addresses.unsealing import SealBroken


class Flaw(StrEnum):
    """Why a row is not used."""

    CHANGED = "changed or planted"
    BROKEN = "does not open"
    TWO = "two addresses"
    REPLAYED = "put back"


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
