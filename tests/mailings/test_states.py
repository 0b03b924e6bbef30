"""States are data: `move` allows exactly the moves of the table, for mailings and deliveries."""

from itertools import product

import pytest

from app.deliveries.ledger import states as deliveries
from app.mailings import states as mailings
from app.mailings.states import MoveNotAllowed

MAILING_STATES = tuple(mailings.MOVES)


@pytest.mark.parametrize(("before", "after"), [*product(MAILING_STATES, MAILING_STATES)])
def test_a_mailing_moves_as_the_table_says(before: str, after: str) -> None:
    if after in mailings.MOVES[before]:
        assert mailings.move(before, after) == after
    else:
        with pytest.raises(MoveNotAllowed):
            mailings.move(before, after)


@pytest.mark.parametrize(("before", "after"), [*product(deliveries.STATES, deliveries.STATES)])
def test_a_delivery_moves_as_the_table_says(before: str, after: str) -> None:
    assert (before in deliveries.sources(after)) == (after in deliveries.MOVES[before])
    if after in deliveries.MOVES[before]:
        assert deliveries.move(before, after) == after
    else:
        with pytest.raises(MoveNotAllowed):
            deliveries.move(before, after)


def test_the_tables_are_closed() -> None:
    for moves, states in (
        (mailings.MOVES, set(MAILING_STATES)),
        (deliveries.MOVES, set(deliveries.STATES)),
    ):
        assert set(moves) == states
        assert all(targets <= states for targets in moves.values())


def test_what_was_sent_stays_sent() -> None:
    # One message more is worse than one message less; and the books must not move afterwards.
    assert deliveries.MOVES[deliveries.SENT] == frozenset()
    assert deliveries.SENT not in {after for _, after in _moves_from_rest()}


def _moves_from_rest() -> list[tuple[str, str]]:
    ended = (deliveries.SENT, deliveries.FAILED, deliveries.EXCLUDED)
    return [(before, after) for before in ended for after in deliveries.MOVES[before]]


def test_a_message_in_doubt_is_not_claimed_by_itself() -> None:
    assert deliveries.CLAIMED not in deliveries.MOVES[deliveries.UNCERTAIN]
    assert deliveries.UNCERTAIN not in deliveries.OPEN
