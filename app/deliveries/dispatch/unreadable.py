"""Rows that do not open: one is its own fault, many at once are ours, and cost no reader an issue.

One planted or changed row is excluded. If most of what was opened together does not open, or none
of the list does, then keys and database do not belong together: the messages wait.
"""

from collections.abc import Callable

from app.addresses.row_faults import Flaw
from app.deliveries.compose.personalisation import PersonalisationFailed, PersonalisedMessage
from app.deliveries.ledger.reasons import DAMAGED, UNFIT

MANY = 3
WHY = (
    "Rows of the list do not open with the keys that are here: keys and database do not belong"
    " together, or the database was damaged. Nobody was excluded. Check VESTKA_KEYS_DIR and"
    " VESTKA_DATABASE_URL on the sender's host; `vestka seal check` opens every row."
)
_OURS = (Flaw.CHANGED, Flaw.BROKEN)

Made = PersonalisedMessage | PersonalisationFailed


def hold_unreadable(made: list[Made], keys_fit: Callable[[], bool]) -> list[Made]:
    """Return the same, but as unfit to go for now what many failures at once say is our fault.

    `keys_fit` tells whether these keys open any row of the list; it is asked if nothing else tells.
    """
    unreadable = [is_unreadable(each) for each in made]
    count = sum(unreadable)
    opened = sum(isinstance(each, PersonalisedMessage) for each in made)
    if not count or (opened and (count < MANY or count < opened)):
        return made
    if not opened and count < MANY and keys_fit():
        return made
    held = PersonalisationFailed(UNFIT, why=WHY)
    return [held if bad else each for each, bad in zip(made, unreadable, strict=True)]


def is_unreadable(one: Made) -> bool:
    """Tell whether a row's seal or mark did not fit; one that was put back does fit."""
    if not isinstance(one, PersonalisationFailed):
        return False
    return one.reason == DAMAGED and one.flaw in _OURS
