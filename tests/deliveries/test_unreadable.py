"""Many rows that do not open are our fault: nobody is excluded for it; one alone is its own."""

import pytest

from app.addresses.row_faults import Flaw
from app.deliveries.compose.personalisation import PersonalisationFailed, PersonalisedMessage
from app.deliveries.dispatch.unreadable import Made, hold_unreadable
from app.deliveries.ledger.reasons import DAMAGED, UNFIT

GOOD = PersonalisedMessage("", "", {}, b"", ())


def failed(flaw: Flaw) -> Made:
    return PersonalisationFailed(DAMAGED, flaw)


def reasons(made: list[Made]) -> list[str]:
    return [each.reason for each in made if isinstance(each, PersonalisationFailed)]


@pytest.mark.parametrize(
    ("opened", "unreadable", "keys_fit", "reason"),
    [
        (10, 1, True, DAMAGED),
        (10, 1, False, DAMAGED),
        (10, 9, True, DAMAGED),
        (3, 3, True, UNFIT),
        (2, 3, True, UNFIT),
        (1, 2, False, DAMAGED),
        (0, 1, True, DAMAGED),
        (0, 2, False, UNFIT),
        (0, 3, True, UNFIT),
    ],
)
def test_many_at_once_wait_and_a_few_are_excluded(
    opened: int, unreadable: int, reason: str, *, keys_fit: bool
) -> None:
    made = [GOOD] * opened + [failed(Flaw.CHANGED)] * unreadable
    assert reasons(hold_unreadable(made, lambda: keys_fit)) == [reason] * unreadable


def test_rows_that_were_put_back_are_excluded_however_many() -> None:
    made = [failed(Flaw.REPLAYED)] * 5
    assert reasons(hold_unreadable(made, lambda: False)) == [DAMAGED] * 5
