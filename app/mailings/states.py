"""The states of a mailing and the moves between them, as data."""

from app.errors import DomainError

ENROLLING = "enrolling"
RUNNING = "running"
PAUSED = "paused"
FINISHED = "finished"
CANCELLED = "cancelled"

# Not ended yet.
ON_THEIR_WAY = (ENROLLING, RUNNING, PAUSED)

MOVES: dict[str, frozenset[str]] = {
    ENROLLING: frozenset({RUNNING, PAUSED, CANCELLED, FINISHED}),
    RUNNING: frozenset({PAUSED, FINISHED, CANCELLED}),
    PAUSED: frozenset({RUNNING, ENROLLING, CANCELLED}),
    FINISHED: frozenset({RUNNING}),  # an operator released an uncertain message
    CANCELLED: frozenset(),
}


class MoveNotAllowed(DomainError):
    """That cannot be done in the state it is in."""


def move(before: str, after: str) -> str:
    """Return `after` if a mailing may go there from `before`. Raises MoveNotAllowed."""
    if after not in MOVES[before]:
        raise MoveNotAllowed(f"a mailing that is {before} cannot become {after}")
    return after
