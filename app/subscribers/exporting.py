"""Giving the list out in plain text: the one act after which this house cannot protect it.

Addresses are written as they are, also those that begin like a spreadsheet's formula: an altered
address is a lost reader, and ours hold no brackets, quotation marks or spaces, without which no
formula calls anything. A row that the sender did not admit is left out and counted.
"""

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.addresses.address import EmailAddress
from app.addresses.admission import is_admitted
from app.addresses.keys import Keyring
from app.addresses.sealing import SealBroken, open_sealed
from app.database import Database
from app.errors import Refusal
from app.newsletter import Newsletter
from app.subscribers.list_file import COLUMNS
from app.subscribers.models import CONFIRMED, Subscriber, Subscription

BATCH = 1000


class FileThere(Refusal):
    """The file to write is there already; nothing is overwritten."""


class FileUnwritable(Refusal):
    """The file cannot be written."""


@contextmanager
def private_file(path: Path) -> Iterator[TextIO]:
    """Make a file that only its owner may read; a half-written one is deleted again.

    Raises FileThere or FileUnwritable.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise FileThere from None
    except OSError:
        raise FileUnwritable from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def export(
    database: Database, keyring: Keyring, newsletter: Newsletter, file: TextIO
) -> tuple[int, int]:
    """Write all confirmed subscribers as the CSV that an import reads.

    Returns how many were written, and how many rows were left out because they do not open or
    were not admitted by the sender. A thousand at a time are in memory.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    order = {segment.id: place for place, segment in enumerate(newsletter.segments)}
    written = damaged = 0
    after = b""
    while batch := _batch(database, after):
        for reader, segments in batch:
            address = _opened(keyring, reader)
            if address is None:
                damaged += 1
                continue
            names = sorted(segments, key=lambda name: order.get(name, len(order)))
            writer.writerow((address.wire, " ".join(names), reader.language))
            written += 1
        after = batch[-1][0].id
    return written, damaged


def _batch(database: Database, after: bytes) -> Sequence[tuple[Subscriber, list[str]]]:
    confirmed = select(Subscription.subscriber_id).where(Subscription.state == CONFIRMED)
    with database.reading() as session:
        readers = session.scalars(
            select(Subscriber)
            .where(Subscriber.id > after, Subscriber.id.in_(confirmed))
            .order_by(Subscriber.id)
            .limit(BATCH)
        ).all()
        held = _segments(session, [reader.id for reader in readers])
    return [(reader, held.get(reader.id, [])) for reader in readers]


def _segments(session: Session, ids: Sequence[bytes]) -> dict[bytes, list[str]]:
    query = select(Subscription.subscriber_id, Subscription.segment).where(
        Subscription.subscriber_id.in_(ids), Subscription.state == CONFIRMED
    )
    held: dict[bytes, list[str]] = {}
    for row in session.execute(query):
        held.setdefault(row.subscriber_id, []).append(row.segment)
    return held


def _opened(keyring: Keyring, reader: Subscriber) -> EmailAddress | None:
    if not is_admitted(keyring.admit, reader.id, reader.link_id, reader.sealed, reader.admit):
        return None
    try:
        return open_sealed(keyring.list_opening, reader.id, reader.sealed)
    except SealBroken:
        return None
