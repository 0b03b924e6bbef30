"""A list in batches: each address known by its blind index, and what the file says twice left out.

Memory stays the same however long the list is: what was seen is kept as digests in a temporary
database, which has no name on the disk and is gone with the process.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from app.addresses.blind_index import IndexKeys, NeverKeys, known_indexes, never_indexes
from app.subscribers.imports.list_file import BadRow, ListRow

BATCH = 1000
BAD_ROWS_SHOWN = 100


@dataclass
class Tally:
    """What becomes of each line: the counts add up to the lines of the file."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    suppressed: int = 0
    bad: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """How many lines were read, without the header and blank ones."""
        taken = self.added + self.changed + self.unchanged
        return taken + self.repeated + self.suppressed + self.bad

    def take(self, *, new: bool, gained: bool) -> None:
        """Count a good row: of a new subscriber, of one who gained a segment, or of neither."""
        if new:
            self.added += 1
        elif gained:
            self.changed += 1
        else:
            self.unchanged += 1

    def leave_out(self) -> None:
        """Count a good row of somebody who must not be brought in by a list."""
        self.suppressed += 1

    def add(self, other: "Tally") -> None:
        """Count what a batch came to, once it is true."""
        self.added += other.added
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.suppressed += other.suppressed

    def refuse(self, row: BadRow) -> None:
        """Count a bad row, and keep the first of them to be shown."""
        self.bad += 1
        if len(self.bad_rows) < BAD_ROWS_SHOWN:
            self.bad_rows.append(row)

    def as_record(self) -> dict[str, object]:
        """The counts as data."""
        names = ("lines", "added", "changed", "unchanged", "repeated", "suppressed", "bad")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Listed:
    """A row with its blind indexes (newest key first), and the segments no earlier row named.

    `never` are the indexes under which it may be suppressed; `first` tells whether it is the first
    row of this address.
    """

    row: ListRow
    indexes: tuple[bytes, ...]
    segments: tuple[str, ...]
    first: bool
    never: tuple[bytes, ...]


class _Seen:
    """A set of digests that spills to an unnamed file when it grows."""

    def __init__(self) -> None:
        self._set = sqlite3.connect("", isolation_level=None)
        self._set.execute("PRAGMA cache_size = -16000")  # KiB
        self._set.execute("PRAGMA journal_mode = OFF")
        self._set.execute("CREATE TABLE seen (digest BLOB PRIMARY KEY) WITHOUT ROWID")
        self._set.execute("BEGIN")

    def add(self, *parts: bytes) -> bool:
        """Add; return whether it was new."""
        digest = hashlib.blake2b(b"|".join(parts), digest_size=16).digest()
        added = self._set.execute("INSERT OR IGNORE INTO seen VALUES (?)", (digest,))
        return added.rowcount == 1

    def close(self) -> None:
        self._set.close()


def batches(
    rows: Iterable[ListRow | BadRow],
    keys: IndexKeys,
    never: NeverKeys,
    tally: Tally,
    size: int = BATCH,
) -> Iterator[list[Listed]]:
    """Yield the good rows in batches of at most `size`; bad and repeated ones are only counted."""
    seen = _Seen()
    batch: list[Listed] = []
    try:
        for row in rows:
            if isinstance(row, BadRow):
                tally.refuse(row)
                continue
            listed = _listed(row, keys, never, seen)
            if not listed.segments:
                tally.repeated += 1
                continue
            batch.append(listed)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch
    finally:
        seen.close()


def _listed(row: ListRow, keys: IndexKeys, never: NeverKeys, seen: _Seen) -> Listed:
    indexes = known_indexes(keys, row.address)
    first = seen.add(indexes[0])
    fresh = tuple(name for name in row.segments if seen.add(indexes[0], name.encode()))
    return Listed(row, indexes, fresh, first, never_indexes(never, row.address))
