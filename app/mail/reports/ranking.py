"""Weighing texts that say why a message came back, from what tells most to what tells least."""

from collections.abc import Iterable

from app.mail.classification import Class, Verdict
from app.mail.classification.classify import classify_by_rule
from app.mail.redaction import printable, without_addresses
from app.mail.reports.report import LONGEST_TEXT, Recipient


def weighed(address: str, texts: Iterable[str], status: str = "") -> Recipient:
    """Judge by the first text that is no guess, else by the best guess.

    `status` is a code given apart from all texts. Codes found in a text that told nothing else
    are taken along to the next.
    """
    best: tuple[Verdict, str] | None = None
    code, kept = "", status
    for text in texts:
        if not text.strip() and not kept:
            continue
        verdict, rule = classify_by_rule(text, status=kept, code=code)
        if rule is not None and not rule.guess:
            return Recipient(address, verdict, shown(text, address))
        if best is None or (best[0].class_ is Class.UNKNOWN and rule is not None):
            best = verdict, text
        code = code or str(verdict.code or "")
        kept = kept or verdict.status or ""
    verdict, text = best or (Verdict(Class.UNKNOWN, "unexplained"), "")
    return Recipient(address, verdict, shown(text, address))


def shown(text: str, address: str) -> str:
    """Say a text as it may be kept: short, and without addresses."""
    return without_addresses(printable(text[: 2 * LONGEST_TEXT]), address)[:LONGEST_TEXT]
