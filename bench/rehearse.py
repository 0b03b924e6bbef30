"""`vestka bench rehearse`: how long a mailing would take, and how each domain would get its part.

An audience is a file of `domain,readers` or `domain,readers,manner` lines, or of addresses, of
which only the domain is kept; `synthetic` is one that is made up.
"""

import csv
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from app.addresses.address import AddressRefused, EmailAddress
from app.deliveries.destinations.limits import DestinationLimits
from app.deliveries.dispatch.relay_selection import check_relays
from app.errors import DomainError
from app.mail.relay import Relay
from app.newsletter import Newsletter
from app.settings import naming
from bench.domains import MANNERS, Manner
from bench.rehearsing import Rehearsal, Story, rehearse

# Parts of a thousand. Real names where their limits are to be seen; the rest is nobody's.
SYNTHETIC: tuple[tuple[str, int, str], ...] = (
    ("gmail.com", 440, "plain"),
    ("mail.ru", 110, "limited"),
    ("yandex.ru", 90, "plain"),
    ("outlook.com", 60, "quota"),
    ("grey.example", 60, "grey"),
    ("slow.example", 20, "slow"),
    ("forgetful.example", 40, "forgetful"),
    ("blocking.example", 40, "blocking"),
    ("dead.example", 10, "dead"),
)
SMALL = 50  # domains that share what is left
COLUMNS = 24
_BARS = " ▁▂▃▄▅▆▇█"


class AudienceUnreadable(DomainError):
    """An audience is a file of `domain,readers` lines or of addresses, or the word synthetic."""


class AudienceWrong(DomainError):
    """A line of an audience is `domain,readers`, `domain,readers,manner`, or an address."""


@dataclass(frozen=True)
class Audience:
    """How many readers there are by domain, and how the domains behave."""

    readers: Mapping[str, int]
    manners: Mapping[str, str]

    def addresses(self, seed: int) -> list[str]:
        """Make up the readers, in no order."""
        made = [
            f"rehearsal-{number}@{domain}"
            for domain, count in self.readers.items()
            for number in range(count)
        ]
        random.Random(seed).shuffle(made)
        return made

    def domains(self) -> dict[str, Manner]:
        """Make the domains anew."""
        return {domain: MANNERS[manner]() for domain, manner in self.manners.items()}


def synthetic(readers: int) -> Audience:
    """Make up an audience of about so many readers."""
    counts = {domain: readers * part // 1000 for domain, part, _ in SYNTHETIC}
    left = readers - sum(counts.values())
    for number in range(SMALL):
        counts[f"d{number:02}.example"] = left // SMALL + (number < left % SMALL)
    manners = {domain: manner for domain, _, manner in SYNTHETIC}
    return Audience({d: c for d, c in counts.items() if c}, manners)


def read_audience(path: Path) -> Audience:
    """Read a file of domains or of addresses. Raises AudienceUnreadable, AudienceWrong."""
    readers: Counter[str] = Counter()
    manners: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise AudienceUnreadable from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        domain, count, manner = _read_line(line, number)
        readers[domain] += count
        if manner:
            manners[domain] = manner
    if not readers.total():
        raise AudienceUnreadable
    return Audience(readers, manners)


def _read_line(line: str, number: int) -> tuple[str, int, str]:
    """Return a domain, how many readers it has, and how it behaves if that is said."""
    try:
        cells = [cell.strip() for cell in next(csv.reader([line], strict=True))]
    except csv.Error:
        raise AudienceWrong(f"Line {number}: no CSV.") from None
    if "@" in cells[0]:
        try:
            return EmailAddress.parse(cells[0]).wire.rpartition("@")[2], 1, ""
        except AddressRefused:
            raise AudienceWrong(f"Line {number}: no address.") from None
    if not re.fullmatch(r"[\w.-]+", cells[0]):
        raise AudienceWrong(f"Line {number}: no domain.")
    if len(cells) < 2 or not re.fullmatch(r"[0-9]{1,6}", cells[1]):
        raise AudienceWrong(f"Line {number}: no count of readers (six digits at most).")
    manner = cells[2] if len(cells) > 2 else ""
    if manner and manner not in MANNERS:
        raise AudienceWrong(f"Line {number}: no manner; there are: {', '.join(sorted(MANNERS))}.")
    return cells[0].lower(), int(cells[1]), manner


def run(
    audience: str,
    *,
    readers: int = 5000,
    relays: Sequence[str] = ("",),
    senders: int = 1,
    limits: Sequence[str] = (),
    over: timedelta | None = None,
    seed: int = 1,
) -> dict[str, object]:
    """Rehearse; return the duration, how the ledger ended, and a row for each domain."""
    with naming("--relay"):
        read = [
            Relay.parse(f"smtp+insecure://127.0.0.{at}:25?{o}") for at, o in enumerate(relays, 1)
        ]
        check_relays(read, [segment.id for segment in Newsletter.load().segments])
    with naming("--limit"):
        DestinationLimits.parse(limits, b"")
    with naming("--audience"):
        who = synthetic(readers) if audience == "synthetic" else read_audience(Path(audience))
    plan = Rehearsal(
        who.addresses(seed),
        who.domains(),
        relays=relays,
        senders=senders,
        limits=limits,
        over=over,
    )
    with tempfile.TemporaryDirectory() as folder:
        story = rehearse(plan, Path(folder))
    return {
        "duration": shown(story.seconds),
        "seconds": round(story.seconds),
        "finished": story.finished,
        **dict(sorted(story.states.items())),
        "domains": _rows(who, story),
    }


def _rows(who: Audience, story: Story) -> list[dict[str, object]]:
    named = {
        domain
        for domain, count in who.readers.items()
        if count * SMALL >= sum(who.readers.values())
    }
    named |= {domain for domain, manner in who.manners.items() if manner != "plain"}
    parts = [(d, [d], c) for d, c in who.readers.items() if d in named]
    rest = [domain for domain in who.readers if domain not in named]
    if rest:
        parts.append((f"{len(rest)} others", rest, sum(who.readers[d] for d in rest)))
    return [_row(name, domains, count, who, story) for name, domains, count in parts]


def _row(
    name: str, domains: Iterable[str], readers: int, who: Audience, story: Story
) -> dict[str, object]:
    meant = set(domains)
    taken = sorted(each.at for each in story.taken if each.reader.rpartition("@")[2] in meant)
    refused: Counter[str] = Counter()
    for domain in meant:
        refused.update(story.refused.get(domain, {}))
    return {
        "domain": name,
        "manner": who.manners.get(name, "plain"),
        "readers": readers,
        "taken": len(taken),
        "refused": dict(refused),
        "half": shown(taken[len(taken) // 2]) if taken else None,
        "last": shown(taken[-1]) if taken else None,
        "most_a_minute": most_in(taken, 60.0),
        "curve": curve(taken, story.seconds),
    }


def most_in(taken: Sequence[float], seconds: float) -> int:
    """Return the most messages that were taken in any window of so many seconds."""
    most = begin = 0
    for end, at in enumerate(taken):
        while taken[begin] <= at - seconds:
            begin += 1
        most = max(most, end - begin + 1)
    return most


def curve(taken: Sequence[float], seconds: float) -> str:
    """Draw how many messages were taken in each part of the whole time."""
    counts = [0] * COLUMNS
    for at in taken:
        counts[min(int(at / max(seconds, 1e-9) * COLUMNS), COLUMNS - 1)] += 1
    top = max(counts)
    return "".join(_BARS[-(-each * (len(_BARS) - 1) // top)] if top else " " for each in counts)


def shown(seconds: float) -> str:
    """Write a duration for people."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {whole % 60:02} s"
