"""What kind of message this is, judged by many small signs (`signs.toml`) and a few fields."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from app.mail.reports.headers import Headers
from app.mail.reports.notices import coded
from app.mail.verdicts.wording import Phrase, Words, phrase

TABLE = Path(__file__).with_name("signs.toml")
ENOUGH = 4  # the sum of weights that makes a kind
READ = 3_000  # characters of a notice in which signs are looked for

_ANSWERED = re.compile(
    r"\s*(?:\[[^\]]{0,40}\]\s*)?(?:re|fw|fwd|aw|wg|sv|vs|antw|tr|odp|ha|отв|hа)(?:\[\d+\])?\s*:",
    re.IGNORECASE,
)
_RESPONDERS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply",
    "x-autoreply-from",
    "x-mail-autoreply",
    "x-vacation",
    "x-auto-response",
    "x-autorespond-from",
    "x-cron-env",
)


class Sign(NamedTuple):
    """One row of the table."""

    of: str
    where: str
    weight: int
    says: tuple[Phrase, ...]
    unless: tuple[Phrase, ...]

    def shown_by(self, places: dict[str, Words]) -> bool:
        """Whether the message shows it."""
        words = places[self.where]
        return any(map(words.say, self.says)) and not any(map(words.say, self.unless))


@cache
def signs() -> tuple[Sign, ...]:
    """Read the table."""
    return tuple(_sign(row) for row in tomllib.loads(TABLE.read_text(encoding="utf-8"))["sign"])


def _sign(row: dict[str, Any]) -> Sign:
    says, unless = (tuple(map(phrase, row.get(key, ()))) for key in ("says", "unless"))
    return Sign(row["of"], row["in"], row["weight"], says, unless)


def weigh(headers: Headers, written: str) -> Counter[str]:
    """Add up the signs of each kind."""
    places = {
        "from": Words(headers.first("from", "sender")[:500].replace("@", " ")),
        "subject": Words(headers.first("subject")[:500]),
        "notice": Words(written[:READ]),
    }
    weights: Counter[str] = Counter()
    for sign in signs():
        if sign.shown_by(places):
            weights[sign.of] += sign.weight
    for kind, weight in _fields(headers):
        weights[kind] += weight
    weights["coded"] = int(bool(coded(written[:READ])))
    return weights


def _fields(headers: Headers) -> Iterator[tuple[str, int]]:
    """What fields tell without words (RFC 3834 §5, RFC 2919, RFC 3464 §2)."""
    automatic = headers.first("auto-submitted").strip().lower()
    precedence = headers.first("precedence", "preference").strip().lower()
    if "x-failed-recipients" in headers:
        yield "machine", 4
    returns = headers.first("return-path").replace(" ", "").lower()
    if returns == "<>" or returns.startswith("<mailer-daemon"):
        yield "machine", 1
    if "delivery-status" in headers.first("content-type").lower():
        yield "machine", 4
    if _ANSWERED.match(headers.first("subject")):
        yield "bounce", -3
    if "list-id" in headers or "list-post" in headers or "list-unsubscribe" in headers:
        yield "bounce", -3
        yield "auto", -3
    if automatic.startswith("auto-replied"):
        yield "auto", 3
    if automatic.startswith("auto-generated") and "in-reply-to" in headers:
        yield "auto", 3
    if precedence.replace("_", "-") in ("auto-reply", "autoreply"):
        yield "auto", 4
    if any(name in headers for name in _RESPONDERS):
        yield "auto", 4
    if headers.first("x-auto-response-suppress") and "in-reply-to" in headers:
        yield "auto", 1
