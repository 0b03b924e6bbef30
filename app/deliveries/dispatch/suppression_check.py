"""The last look for suppressions, by the address itself: a row's own index could be another's."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy.orm import Session

from app.deliveries.compose.composing import Outgoing
from app.deliveries.ledger.due import Claim
from app.deliveries.ledger.message_kinds import ISSUE
from app.subscribers.complaint_lifting import lifting
from app.suppressions.lookup import reasons_against
from app.suppressions.reasons import COMPLAINT, Act


def suppressed(session: Session, messages: Iterable[Outgoing], *, today: date) -> list[Claim]:
    """Return the claims of those messages whose address must not get them.

    A complaint that the reader's own confirmation lifts forbids nothing any more, even if it is
    not lifted yet.
    """
    issues, answers = list[Outgoing](), list[Outgoing]()
    for each in messages:
        (issues if each.claim.kind == ISSUE else answers).append(each)
    return [
        *_barred(session, Act.ISSUE, issues, today),
        *_barred(session, Act.ANSWER, answers, today),
    ]


def _barred(session: Session, act: Act, messages: list[Outgoing], today: date) -> list[Claim]:
    indexes = {index for each in messages for index in each.never}
    reasons = reasons_against(session, act, indexes, today=today)
    barred: dict[int, frozenset[str]] = {}
    for place, each in enumerate(messages):
        if against := frozenset().union(*(reasons.get(index, ()) for index in each.never)):
            barred[place] = against
    complained = [place for place, against in barred.items() if against == {COMPLAINT}]
    readers = {messages[place].claim.subscriber_id for place in complained} - {None}
    lifted = lifting(session, [each for each in readers if each]) if readers else set()
    return [
        messages[place].claim
        for place, against in barred.items()
        if against != {COMPLAINT} or messages[place].claim.subscriber_id not in lifted
    ]
