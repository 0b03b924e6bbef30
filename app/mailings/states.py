"""The states of a mailing and the moves between them, as data.

A cancelled mailing may be resumed, a recalled one is as if it had never been launched.
"""

from app.errors import DomainError

ENROLLING = "enrolling"
RUNNING = "running"
PAUSED = "paused"
FINISHED = "finished"
CANCELLED = "cancelled"
RECALLED = "recalled"

# Not ended yet.
ON_THEIR_WAY = (ENROLLING, RUNNING, PAUSED)

MOVES: dict[str, frozenset[str]] = {
    # An audience that is empty after all is recalled: it spends nothing.
    ENROLLING: frozenset({RUNNING, PAUSED, CANCELLED, RECALLED}),
    RUNNING: frozenset({PAUSED, FINISHED, CANCELLED, RECALLED}),
    PAUSED: frozenset({RUNNING, ENROLLING, CANCELLED, RECALLED}),
    # An operator released an uncertain message; or nothing was attempted at all.
    FINISHED: frozenset({RUNNING, RECALLED}),
    # Cancelled by mistake, or where a recall was meant.
    CANCELLED: frozenset({RUNNING, ENROLLING, RECALLED}),
    RECALLED: frozenset({ENROLLING}),  # launched again
}

_ACTS = {
    ENROLLING: "launched",
    RUNNING: "resumed",
    PAUSED: "paused",
    FINISHED: "finished",
    CANCELLED: "cancelled",
    RECALLED: "recalled",
}


class MoveNotAllowed(DomainError):
    """The mailing's state does not allow that."""


def not_allowed(state: str, act: str) -> str:
    """Say that a mailing in this state cannot be paused, resumed or the like, and what can be done.

    A recalled one is launched by its issue.
    """
    said = f"The mailing is {state}; it cannot be {act}."
    if state == RECALLED:
        return f"{said} Approve its issue and start it (`vestka mailing start`)."
    if state == CANCELLED:
        return f"{said} It can be resumed, or recalled if nothing was attempted."
    return said


def move(before: str, after: str) -> str:
    """Return `after` if a mailing may go there from `before`. Raises MoveNotAllowed."""
    if after not in MOVES[before]:
        raise MoveNotAllowed(not_allowed(before, _ACTS[after]))
    return after
