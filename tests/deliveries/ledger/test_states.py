"""Laws of the states: what moves, what stays, and that no other move can be made."""

from itertools import product

import pytest

from app.deliveries.ledger.states import MOVES, OPEN, STATES, move, sources
from app.mailings.states import MoveNotAllowed


@pytest.mark.parametrize(("before", "after"), list(product(STATES, STATES)))
def test_a_move_is_allowed_exactly_if_the_table_says_so(before: str, after: str) -> None:
    if after in MOVES[before]:
        assert move(before, after) == after
    else:
        with pytest.raises(MoveNotAllowed):
            move(before, after)
    assert (before in sources(after)) is (after in MOVES[before])


def test_every_state_has_its_moves_and_no_others() -> None:
    assert MOVES.keys() == set(STATES)
    assert set().union(*MOVES.values()) <= set(STATES)


def test_what_was_sent_or_given_up_stays_so() -> None:
    assert {state for state in STATES if not MOVES[state]} == {"sent", "excluded"}


def test_what_failed_may_only_be_sent_again() -> None:
    assert MOVES["failed"] == {"pending"}


def test_every_open_state_comes_to_an_end() -> None:
    for state in OPEN:
        assert {"excluded", "failed"} <= MOVES[state]


def test_only_a_claimed_message_can_be_sent_without_an_operator() -> None:
    assert sources("sent") == ("claimed", "uncertain")
