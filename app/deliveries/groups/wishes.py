"""What a domain's servers wish when they refuse a letter: that we go slower, or stay away. Pure.

The table is read from the top and the first rule that matches decides. A wish is about us and never
about the reader. What is said before a recipient is named is the relay's, not a domain's.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from app.mail.replies import Answer, Stage

_NAMED = frozenset({Stage.RCPT, Stage.DATA, Stage.DOT})


class Wish(StrEnum):
    """What is asked of us."""

    NONE = "none"
    SLOWER = "slower"  # less at a time, or a better name first
    AWAY = "away"  # nothing at all, until somebody has put something right


@dataclass(frozen=True, slots=True)
class Rule:
    """A wish behind replies whose codes match whole and whose text holds `text`, in any case."""

    code: str
    enhanced: str
    text: str
    wish: Wish

    def matches(self, code: str, enhanced: str, text: str) -> bool:
        """Whether this rule decides."""
        return (
            re.fullmatch(self.code, code) is not None
            and re.fullmatch(self.enhanced, enhanced) is not None
            and re.search(self.text, text, re.IGNORECASE) is not None
        )


_RELAY = r"relay(ing)? (access )?(denied|not)|authentication (is )?required|log ?in first"
_GREY = r"gr[ae]y ?-?list"
_LISTED = r"dnsbl|rbl\b|spamhaus|spamcop|barracuda|black ?-?list|block ?-?list|deny ?-?list"
_RATE = (
    r"\brate\b|rate.?limit|thrott|too (many|much|fast)|unusual|frequen|slow down"
    r"|\bquota\b.{0,20}send|(limit|maximum|volume).{0,40}(exceed|reach)|exceed.{0,40}(limit|rate|volume)"
)
_NAME = r"reputation|\bTSS?\d\d\b|temporarily deferred|unsolicited|complaint"
_POLICY = (
    r"spam|blocked|banned|refused by|policy|reputation|not (accepted|allowed|welcome)|rejected due"
)

RULES = (
    # The relay's own matter, and a reader's: full, unknown, closed to strangers (RFC 3463 §3.3-3.4)
    Rule(r"\d+", r".*", _RELAY, Wish.NONE),
    Rule(r"53\d", r".*", r"", Wish.NONE),
    Rule(r"\d+", r"[45]\.[1-6]\.\d+", r"^(?!.*(?:" + _LISTED + r")).*$", Wish.NONE),
    Rule(r"5\d\d", r"5\.7\.(1[23]\d|[3-68]|13)", r"", Wish.NONE),  # Exchange: who may write to whom
    # Later: greylisting asks for patience with one letter; the rest, to go slower
    Rule(r"4\d\d", r".*", _GREY, Wish.NONE),
    Rule(r"4\d\d", r".*", _RATE, Wish.SLOWER),  # Gmail 4.7.28, Microsoft 4.7.650, Mail.ru, Yandex
    Rule(r"4\d\d", r".*", _NAME, Wish.SLOWER),  # Yahoo TSS04
    Rule(r"4\d\d", r".*", _LISTED, Wish.SLOWER),
    Rule(r"450", r"4\.7\.1", r"", Wish.NONE),  # Postfix says so of greylisting and of much else
    Rule(r"4\d\d", r"4\.7\.\d+", r"", Wish.SLOWER),
    # Never: policy, reputation, a list that names us, authentication (Microsoft 5.7.515)
    Rule(r"5\d\d", r".*", _LISTED, Wish.AWAY),
    Rule(r"5\d\d", r"5\.7\.\d+", r"", Wish.AWAY),
    Rule(r"5\d\d", r"", _POLICY, Wish.AWAY),
)


def wish_of(answer: Answer) -> Wish:
    """Say what the receiving servers wish by this answer to a letter. Total."""
    reply = answer.reply
    if reply is None or answer.stage not in _NAMED or reply.code < 400:
        return Wish.NONE
    words = str(reply.code), reply.enhanced or "", reply.text
    return next((rule.wish for rule in RULES if rule.matches(*words)), Wish.NONE)
