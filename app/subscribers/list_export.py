"""Giving the list out: encrypted for somebody elsewhere; or plain, and no longer in our hands.

Addresses are written as they are, also those that begin like a spreadsheet's formula: an altered
address is a lost reader, and ours hold no brackets, quotation marks or spaces, without which no
formula calls anything. A row that the sender did not admit is left out and counted.
"""

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.addresses.keyring import Keyring
from app.database import Database
from app.errors import DomainError
from app.keys.age import Recipients
from app.newsletter import Newsletter
from app.subscribers.imports.list_file import COLUMNS
from app.subscribers.models import CONFIRMED, Subscriber, Subscription
from app.subscribers.row_integrity import Flaw, open_selected, rows

BATCH = 1000


class FileThere(DomainError):
    """The file to write is there already; nothing is overwritten."""


class FileUnwritable(DomainError):
    """The file cannot be written."""


@contextmanager
def private_file(path: Path) -> Iterator[BinaryIO]:
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
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@dataclass
class Exported:
    """How many readers were written, and how many rows were left out because they are flawed."""

    written: int = 0
    damaged: int = 0


def export(
    database: Database, keyring: Keyring, newsletter: Newsletter, file: BinaryIO
) -> Exported:
    """Write all confirmed subscribers as the CSV that an import reads."""
    done = Exported()
    file.writelines(lines(database, keyring, newsletter, done))
    return done


def export_for(
    recipients: Recipients,
    database: Database,
    keyring: Keyring,
    newsletter: Newsletter,
    file: BinaryIO,
) -> Exported:
    """Write the same, encrypted: nothing of it is in plain text anywhere but in memory."""
    done = Exported()
    recipients.encrypt(lines(database, keyring, newsletter, done), file)
    return done


def lines(
    database: Database, keyring: Keyring, newsletter: Newsletter, done: Exported
) -> Iterator[bytes]:
    """Yield that CSV line by line, and count in `done`; a thousand readers are in memory."""
    yield _line(COLUMNS)
    order = {segment.id: place for place, segment in enumerate(newsletter.segments)}
    after = b""
    while batch := _batch(database, after):
        for reader, segments in batch:
            address = open_selected(keyring, reader)
            if isinstance(address, Flaw):
                done.damaged += 1
                continue
            names = sorted(segments, key=lambda name: order.get(name, len(order)))
            done.written += 1
            yield _line((address.wire, " ".join(names), reader.language))
        after = batch[-1][0].id


def _line(fields: Sequence[str]) -> bytes:
    text = StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(fields)
    return text.getvalue().encode("utf-8")


def _batch(database: Database, after: bytes) -> Sequence[tuple[Row[*tuple[Any, ...]], list[str]]]:
    confirmed = select(Subscription.subscriber_id).where(Subscription.state == CONFIRMED)
    with database.reading() as session:
        readers = session.execute(
            rows()
            .add_columns(Subscriber.language)
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
