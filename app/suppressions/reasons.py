"""Why an address is suppressed, what that forbids, and how long it lasts: one table. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Act(StrEnum):
    """What a suppression can forbid."""

    ADMISSION = "admission"  # of a sign-up: no message goes to ask
    IMPORT = "import"  # by an operator's list
    ISSUE = "issue"  # an issue, at the last look before it goes
    ANSWER = "answer"  # a message that the reader asked for, at the last look before it goes


COMPLAINT = "complaint"
NEVER = "never again"
OPERATOR = "operator"
DEAD = "dead"
LEFT = "left"

_EVERYTHING = frozenset(Act)


@dataclass(frozen=True, slots=True)
class Reason:
    """What one reason forbids; `life` is how long, None for ever."""

    forbids: frozenset[Act]
    life: timedelta | None
    says: str


# Objections hold until the person takes them back (GDPR Art. 21). A complaint may be a slip of the
# finger, or somebody else's: who asks again is asked to confirm, and a confirmation lifts it. A
# mailbox that was closed may be opened again; who left may come back by their own act, but by
# nobody else's list.
REASONS = {
    NEVER: Reason(_EVERYTHING, None, "the reader asked never to be written to again"),
    OPERATOR: Reason(_EVERYTHING, None, "an operator added it"),
    COMPLAINT: Reason(
        frozenset({Act.IMPORT, Act.ISSUE}), None, "the reader reported a message as spam"
    ),
    DEAD: Reason(_EVERYTHING, timedelta(days=30), "messages came back: there is no such mailbox"),
    LEFT: Reason(frozenset({Act.IMPORT}), None, "the reader left; kept as long as is set"),
}


def forbidding(act: Act) -> tuple[str, ...]:
    """Return the reasons that forbid this."""
    return tuple(name for name, reason in REASONS.items() if act in reason.forbids)


def gravest(names: Iterable[str]) -> str:
    """Return the one of several reasons to be told: the first in the table, or one that is not."""
    order = list(REASONS)
    return min(names, key=lambda name: order.index(name) if name in REASONS else len(order))


def last_day(reason: str, today: date) -> date | None:
    """Return the last day on which a suppression made today holds, None if it has no end."""
    life = REASONS[reason].life
    return None if life is None else today + life
