"""Collecting what came back from a Maildir or an IMAP mailbox kept for nothing else.

What is taken in is deleted, because it holds addresses in plain text; what proves nothing is left
for people to read, marked as seen. A mailbox that fails is told of and tried again later.
"""

from collections.abc import Iterator
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from app.log import get_logger
from app.outcomes.imap import ImapMailbox
from app.outcomes.ingest import Ingest
from app.outcomes.mailbox_message import MailboxMessage
from app.outcomes.maildir import Maildir
from app.outcomes.processing import FOREIGN, Processed
from app.settings import Settings

log = get_logger("outcomes")


class Source(Protocol):
    """A mailbox to be emptied."""

    name: str

    def unseen(self) -> Iterator[MailboxMessage]:
        """Yield the messages not yet seen. Raises OSError when the mailbox cannot be read."""
        ...

    def waiting(self) -> int:
        """Count them, and change nothing. Raises OSError."""
        ...


def collect(source: Source, intake: Ingest) -> int:
    """Take in everything that waits; return how many messages were read."""
    read = 0
    try:
        for found in source.unseen():
            _settle(found, _taken(found, intake))
            read += 1
    except OSError as failed:
        log.warning("a mailbox cannot be read", source=source.name, error=type(failed).__name__)
    return read


def _taken(found: MailboxMessage, intake: Ingest) -> Processed | None:
    """Take it in; None for a message that we are not fit for: it must not keep others waiting."""
    try:
        return intake.message(found.raw)
    except SQLAlchemyError as failed:
        raise OSError("the database does not answer") from failed
    except Exception:
        log.exception("a message could not be taken in")
        return None


def _settle(found: MailboxMessage, taken: Processed | None) -> None:
    (found.keep if taken is None or taken.became == FOREIGN else found.delete)()


def sources_of(settings: Settings) -> tuple[Source, ...]:
    """Return the mailboxes that the settings name."""
    found: list[Source] = []
    if settings.bounce_maildir is not None:
        found.append(Maildir(settings.bounce_maildir))
    if settings.bounce_imap is not None:
        found.append(ImapMailbox(settings.bounce_imap))
    return tuple(found)
