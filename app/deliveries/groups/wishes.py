"""What a domain's servers wish when they refuse a letter: that we go slower, or stay away. Pure.

What a reply means is read by the one table that reads all replies and reports; here stands which of
its meanings are a wish about us. A wish is never held against the reader. What is said before a
recipient is named is the relay's matter, not a domain's.
"""

import re
from enum import StrEnum

from app.mail.replies import (
    GREYLISTED,
    Answer,
    Concern,
    Kind,
    Outcome,
    Pace,
    Stage,
    Verdict,
    classify,
)
from app.mail.verdicts.judging import judge_by_rule

_NAMED = frozenset({Stage.RCPT, Stage.DATA, Stage.DOT})


class Wish(StrEnum):
    """What is asked of us."""

    NONE = "none"
    SLOWER = "slower"  # less at a time, or a better name first
    AWAY = "away"  # nothing at all, until somebody has put something right


# By the first digit of the reply and the reason why a letter is blocked.
WISHES: dict[tuple[int, str], Wish] = {
    (4, "rate"): Wish.SLOWER,
    (4, "reputation"): Wish.SLOWER,
    (4, "authentication"): Wish.SLOWER,
    (4, "reverse-dns"): Wish.SLOWER,
    (4, "content"): Wish.SLOWER,
    (4, "policy"): Wish.SLOWER,
    (5, "rate"): Wish.AWAY,
    (5, "reputation"): Wish.AWAY,
    (5, "authentication"): Wish.AWAY,
    (5, "reverse-dns"): Wish.AWAY,
    (5, "content"): Wish.AWAY,
    (5, "policy"): Wish.AWAY,
}
# 450 4.7.1 is said of greylisting and of much else; only these words make a wish of it.
_CERTAIN = frozenset({"rate", "reputation"})

# Exchange: who may write to this recipient, which says nothing of all others.
_CLOSED_TO_STRANGERS = re.compile(r"5\.7\.1[23]\d")

SLOWED = Verdict(Outcome.RETRY, Concern.DOMAIN, Pace.RATE)
SENT_AWAY = Verdict(Outcome.RETRY, Concern.DOMAIN, Pace.OPERATOR, Kind.BLOCK)
GIVEN_UP = Verdict(Outcome.FAILED, Concern.DOMAIN, kind=Kind.BLOCK)
# A letter that was sent away so often is given up: it may be about this reader after all.
TRIES = 4


def wish_of(answer: Answer) -> Wish:
    """Say what the receiving servers wish by this answer to a letter. Total."""
    reply = answer.reply
    if reply is None or answer.stage not in _NAMED or reply.code < 400 or reply.code // 10 == 53:
        return Wish.NONE
    seen, rule = judge_by_rule(reply.text, status=reply.enhanced or "", code=str(reply.code))
    if rule is None or rule.guess or seen.class_ != "block":
        return Wish.NONE
    if _CLOSED_TO_STRANGERS.fullmatch(reply.enhanced or ""):
        return Wish.NONE
    if seen.reason not in _CERTAIN and classify(answer) == GREYLISTED:
        return Wish.NONE
    return WISHES.get((reply.code // 100, seen.reason), Wish.NONE)


def verdict_of(answer: Answer, attempts: int = 0) -> tuple[Verdict, Wish]:
    """Say what an answer means for a delivery, and what the receiving servers wish.

    A letter refused with a wish about us is tried again, until it was tried too often.
    """
    wish = wish_of(answer)
    if wish is Wish.SLOWER:
        return SLOWED, wish
    if wish is Wish.AWAY:
        return GIVEN_UP if attempts >= TRIES else SENT_AWAY, wish
    return classify(answer), wish
