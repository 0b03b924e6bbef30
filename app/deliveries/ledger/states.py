"""The states of a delivery and the moves between them, as data.

`audience = sent + pending + claimed + deferred + failed + uncertain + excluded`, at any instant.
"""

from app.mailings.states import MoveNotAllowed

PENDING = "pending"
CLAIMED = "claimed"
DEFERRED = "deferred"
SENT = "sent"
FAILED = "failed"
UNCERTAIN = "uncertain"
EXCLUDED = "excluded"

STATES = (PENDING, CLAIMED, DEFERRED, SENT, FAILED, UNCERTAIN, EXCLUDED)

MOVES: dict[str, frozenset[str]] = {
    PENDING: frozenset({CLAIMED, EXCLUDED, FAILED}),
    CLAIMED: frozenset({PENDING, DEFERRED, SENT, FAILED, UNCERTAIN, EXCLUDED}),
    DEFERRED: frozenset({CLAIMED, EXCLUDED, FAILED}),
    # The journal of a sender that came back, or an operator, may still settle the doubt.
    UNCERTAIN: frozenset({SENT, PENDING, FAILED, DEFERRED}),
    SENT: frozenset(),
    # By our own fault (ADR 0021): taken back by its sender, or sent again by an operator.
    FAILED: frozenset({PENDING}),
    EXCLUDED: frozenset(),
}

# What will still move by itself.
OPEN = (PENDING, CLAIMED, DEFERRED)


def sources(after: str) -> tuple[str, ...]:
    """Return the states from which a delivery may come to `after`."""
    return tuple(before for before in STATES if after in MOVES[before])


def move(before: str, after: str) -> str:
    """Return `after` if a delivery may go there from `before`. Raises MoveNotAllowed."""
    if after not in MOVES[before]:
        raise MoveNotAllowed(f"a delivery that is {before} cannot become {after}")
    return after
