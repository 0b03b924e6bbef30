"""Lines about suppressions that were told together, in an order that leaves what is true.

Lines that are noted at one position have no order of their own: a suppression and its lift within
half a second would else be forgotten, or put back, as chance has it. What stands in the database
now decides. Lifts go first; a suppression that they took back is not noted.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.suppressions.models import Suppression


def lifts_first(session: Session, lines: list[str]) -> list[str]:
    """Return the lines to be noted, those that lift a suppression first."""
    lifts = [line for line in lines if line.startswith("lifted ")]
    if not lifts:
        return lines
    standing = _standing(session, {line.split()[1] for line in lifts})
    others = [line for line in lines if not line.startswith("lifted ")]
    return lifts + [line for line in others if not _taken_back(line.split(), lifts, standing)]


def _standing(session: Session, indexes: set[str]) -> set[tuple[str, str]]:
    """Return index and reason, as they are spelled in lines, of what is suppressed now."""
    query = select(Suppression.blind_index, Suppression.reason).where(
        Suppression.blind_index.in_([bytes.fromhex(each) for each in indexes])
    )
    return {(index.hex(), reason.replace(" ", "_")) for index, reason in session.execute(query)}


def _taken_back(words: list[str], lifts: list[str], standing: set[tuple[str, str]]) -> bool:
    match words:
        case ["suppressed", index, reason, _]:
            lifted = {f"lifted {index}", f"lifted {index} {reason}"} & set(lifts)
            return bool(lifted) and (index, reason) not in standing
    return False
