"""What a domain's servers wish when they refuse a message: that we go slower, or stay away. Pure.

What a reply means is read by the one table that reads all replies and reports; here stands which of
its meanings are a wish about us. A wish is never held against the reader. What is said before a
recipient is named is the relay's matter, not a domain's.
"""

import re
from enum import StrEnum

from app.mail.classification.classify import classify_by_rule
from app.mail.replies import (
    GREYLISTED,
    Answer,
    BounceClass,
    Disposition,
    Outcome,
    RetryClass,
    Scope,
    Stage,
    classify,
)

_NAMED = frozenset({Stage.RCPT, Stage.DATA, Stage.DOT})


class ThrottleSignal(StrEnum):
    """What is asked of us."""

    NONE = "none"
    SLOWER = "slower"  # less at a time, or a better name first
    AWAY = "away"  # nothing at all, until somebody has put something right


# By the first digit of the reply and the reason why a message is blocked.
WISHES: dict[tuple[int, str], ThrottleSignal] = {
    (4, "rate"): ThrottleSignal.SLOWER,
    (4, "reputation"): ThrottleSignal.SLOWER,
    (4, "authentication"): ThrottleSignal.SLOWER,
    (4, "reverse-dns"): ThrottleSignal.SLOWER,
    (4, "content"): ThrottleSignal.SLOWER,
    (4, "policy"): ThrottleSignal.SLOWER,
    (5, "rate"): ThrottleSignal.AWAY,
    (5, "reputation"): ThrottleSignal.AWAY,
    (5, "authentication"): ThrottleSignal.AWAY,
    (5, "reverse-dns"): ThrottleSignal.AWAY,
    (5, "content"): ThrottleSignal.AWAY,
    (5, "policy"): ThrottleSignal.AWAY,
}
# 450 4.7.1 is said of greylisting and of much else; only these words make a wish of it.
_CERTAIN = frozenset({"rate", "reputation"})

# Exchange: who may write to this recipient, which says nothing of all others.
_CLOSED_TO_STRANGERS = re.compile(r"5\.7\.1[23]\d")

SLOWED = Disposition(Outcome.RETRY, Scope.DOMAIN, RetryClass.RATE)
SENT_AWAY = Disposition(Outcome.RETRY, Scope.DOMAIN, RetryClass.OPERATOR, BounceClass.BLOCK)
GIVEN_UP = Disposition(Outcome.FAILED, Scope.DOMAIN, kind=BounceClass.BLOCK)
# A message that was sent away so often is given up: it may be about this reader after all.
TRIES = 4


def throttle_signal_of(answer: Answer) -> ThrottleSignal:
    """Say what the receiving servers wish by this answer to a message. Total."""
    reply = answer.reply
    if reply is None or answer.stage not in _NAMED or reply.code < 400 or reply.code // 10 == 53:
        return ThrottleSignal.NONE
    seen, rule = classify_by_rule(reply.text, status=reply.enhanced or "", code=str(reply.code))
    if rule is None or rule.guess or seen.class_ != "block":
        return ThrottleSignal.NONE
    if _CLOSED_TO_STRANGERS.fullmatch(reply.enhanced or ""):
        return ThrottleSignal.NONE
    if seen.reason not in _CERTAIN and classify(answer) == GREYLISTED:
        return ThrottleSignal.NONE
    return WISHES.get((reply.code // 100, seen.reason), ThrottleSignal.NONE)


def verdict_of(answer: Answer, attempts: int = 0) -> tuple[Disposition, ThrottleSignal]:
    """Say what an answer means for a delivery, and what the receiving servers wish.

    A message refused with a wish about us is tried again, until it was tried too often.
    """
    wish = throttle_signal_of(answer)
    if wish is ThrottleSignal.SLOWER:
        return SLOWED, wish
    if wish is ThrottleSignal.AWAY:
        return GIVEN_UP if attempts >= TRIES else SENT_AWAY, wish
    return classify(answer), wish
