"""What kind of message this is, judged by many small signs: words (`signs.toml`) and fields."""

import re
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from app.mail.classification.normalise import Phrase, Words, phrase
from app.mail.reports.headers import Headers
from app.mail.reports.notices import coded

TABLE = Path(__file__).with_name("signs.toml")
ENOUGH = 4  # the sum of weights that makes a kind
READ = 3_000  # characters of a notice in which signs are looked for

_LIST = ("list-id", "list-post", "list-unsubscribe")
_RESPONDERS = (
    *("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-autoreply-from"),
    *("x-mail-autoreply", "x-vacation", "x-auto-response", "x-autorespond-from"),
)


class FieldHeuristic(NamedTuple):
    """A field that tells without words, where its value begins so; any value, if "" stands."""

    of: str
    weight: int
    names: tuple[str, ...]
    begins: str


# RFC 3834 §5, RFC 2919, RFC 6522; a bounce is sent from the empty path (RFC 5321 §4.5.5)
FIELDS = (
    FieldHeuristic("machine", 4, ("x-failed-recipients",), ""),
    FieldHeuristic("machine", 1, ("return-path",), r"<\s*(>|mailer-daemon)"),
    FieldHeuristic("machine", 4, ("content-type",), r"[^\n]{0,200}report-type=\W?delivery-status"),
    FieldHeuristic(
        "bounce", -3, ("subject",), r"(\[[^\]]{0,40}\]\s*)?(re|fwd?|aw|wg|sv|vs|tr|odp|отв)\s*:"
    ),
    FieldHeuristic("bounce", -3, _LIST, ""),
    FieldHeuristic("auto", -3, _LIST, ""),
    FieldHeuristic("auto", 3, ("auto-submitted",), "auto-replied"),
    FieldHeuristic("auto", 2, ("auto-submitted",), "auto-generated"),
    FieldHeuristic("auto", 1, ("in-reply-to",), ""),
    FieldHeuristic("auto", 1, ("x-auto-response-suppress",), ""),
    FieldHeuristic("auto", 4, ("precedence", "preference"), r"auto[_-]?reply"),
    FieldHeuristic("auto", 4, _RESPONDERS, ""),
)


class Heuristic(NamedTuple):
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
def heuristics() -> tuple[Heuristic, ...]:
    """Read the table."""
    return tuple(_sign(row) for row in tomllib.loads(TABLE.read_text(encoding="utf-8"))["sign"])


def _sign(row: dict[str, Any]) -> Heuristic:
    says, unless = (tuple(map(phrase, row.get(key, ()))) for key in ("says", "unless"))
    return Heuristic(row["of"], row["in"], row["weight"], says, unless)


def weigh(headers: Headers, written: str) -> Counter[str]:
    """Add up the signs of each kind."""
    places = {
        "from": Words(headers.first("from", "sender")[:500].replace("@", " ")),
        "subject": Words(headers.first("subject")[:500]),
        "notice": Words(written[:READ]),
    }
    weights: Counter[str] = Counter()
    for sign in heuristics():
        if sign.shown_by(places):
            weights[sign.of] += sign.weight
    for each in FIELDS:
        if any(re.match(each.begins, v.strip(), re.IGNORECASE) for v in headers.all(*each.names)):
            weights[each.of] += each.weight
    weights["coded"] = int(bool(coded(written[:READ])))
    return weights
