"""Judging what a server said of a recipient, wherever it said so: in a report or in SMTP."""

import re

from app.mail.classification.bounce_class import Class, Verdict
from app.mail.classification.normalise import Words
from app.mail.classification.rules import Evidence, Rule, rules

LONGEST = 4_000  # characters of what was said that are read

# RFC 3463 §2, but no part of an IP address or a version.
_STATUS = re.compile(r"(?<![\w.])[245]\.\d\.\d{1,3}(?![\w]|\.\d)")
_CODE = re.compile(r"(?<![\w.:/=-])([245][0-7]\d)(?=[\s\-:;,.#<(]|$)(?!\.\d)")


def classify(text: str, *, status: str = "", code: str = "") -> Verdict:
    """Say what a text means. Codes given beside it count only where it names none itself."""
    verdict, _ = classify_by_rule(text, status=status, code=code)
    return verdict


def classify_by_rule(text: str, *, status: str = "", code: str = "") -> tuple[Verdict, Rule | None]:
    """Say it together with the rule that decided, if one did."""
    said = text[:LONGEST]
    seen = Evidence(code_in(said) or code, status_in(said) or status, Words(said))
    rule = next((each for each in rules() if each.matches(seen)), None)
    number = int(seen.code) if seen.code else None
    if rule is None:
        return Verdict(Class.UNKNOWN, "unexplained", number, seen.status or None), None
    sure = rule.sure and not temporary(seen)
    return Verdict(rule.class_, rule.reason, number, seen.status or None, sure), rule


def temporary(seen: Evidence) -> bool:
    """Whether the server left it open: nothing that is said for now is sure."""
    return (seen.code or seen.status).startswith("4")


def status_in(text: str) -> str:
    """Find the enhanced code that a text names first, apart from success; "" if none."""
    found = [match[0] for match in _STATUS.finditer(text)]
    return next((each for each in found if not each.startswith("2")), found[0] if found else "")


def code_in(text: str) -> str:
    """Find the reply code that a text names first; "" if none."""
    found = [match[1] for match in _CODE.finditer(text)]
    return next((each for each in found if not each.startswith("2")), found[0] if found else "")
