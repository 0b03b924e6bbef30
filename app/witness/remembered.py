"""What the lines of a witness file say, taken together: the newest line about a thing counts.

Ended rows may be many and are read one after the other; the rest is small. A line that says nothing
is passed over.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from app.instance.events import WHOLE

LAUNCHED, RECALLED = "launched", "recalled"
MailingKey = tuple[str, str]


@dataclass
class Remembered:
    """The last position that was written, and what stood there."""

    mark: str = ""
    position: int = 0
    mailings: dict[MailingKey, str] = field(default_factory=dict)
    left: set[tuple[bytes, str]] = field(default_factory=set)
    suppressed: dict[tuple[bytes, str], date | None] = field(default_factory=dict)

    def take(self, words: list[str]) -> None:
        """Take in a line; whole rows are not kept here."""
        match words:
            case ["position", mark, number]:
                self.mark, self.position = mark, int(number)
            case ["mailing", week, segment, state]:
                self.mailings[week, segment] = state
            case ["ended", row_id, segment, _] if segment != WHOLE:
                self.left.add((bytes.fromhex(row_id), segment))
            case ["confirmed", row_id, segment]:
                self.left.discard((bytes.fromhex(row_id), segment))
            case ["suppressed", index, reason, until]:
                key = bytes.fromhex(index), reason.replace("_", " ")
                self.suppressed[key] = None if until == "-" else date.fromisoformat(until)
            case ["lifted", index]:
                gone = bytes.fromhex(index)
                self.suppressed = {k: v for k, v in self.suppressed.items() if k[0] != gone}
            case ["lifted", index, reason]:
                self.suppressed.pop((bytes.fromhex(index), reason.replace("_", " ")), None)


def remember(lines: Iterable[list[str]]) -> Remembered:
    """Read all lines."""
    remembered = Remembered()
    for words in lines:
        try:
            remembered.take(words)
        except ValueError:
            continue  # a disk that lost its end may have left anything there
    return remembered


def ended_rows(lines: Iterable[list[str]], since: date | None) -> Iterator[tuple[bytes, date]]:
    """Return the rows that ended on that day or later."""
    for words in lines:
        match words:
            case ["ended", row_id, segment, day] if segment == WHOLE:
                try:
                    row, when = bytes.fromhex(row_id), date.fromisoformat(day)
                except ValueError:
                    continue
                if since is None or when >= since:
                    yield row, when


def is_current(words: list[str], oldest: date | None) -> bool:
    """Tell whether a line still tells anything: no key opens a row that ended before `oldest`."""
    match words:
        case ["position", *_]:
            return False  # the newest is written again
        case ["ended", _, _, day] if oldest is not None:
            return day >= oldest.isoformat()
    return bool(words)
