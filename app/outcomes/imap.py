"""An IMAP mailbox (RFC 3501), over TLS: unseen messages are read, deleted, or marked as seen.

No more than the first megabyte of a message is fetched, and fetching marks nothing by itself.
"""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from app.mail.reports.parts import LARGEST
from app.outcomes.mailbox_message import MailboxMessage
from app.settings import ImapPlace

MOST = 200  # messages of one look
PATIENCE = 30.0  # seconds

_UID = re.compile(rb"[0-9]{1,10}")


class ImapFailed(OSError):
    """The mailbox answered something that cannot be used."""


class ImapMailbox:
    """One mailbox on a server."""

    name = "imap"

    def __init__(self, place: ImapPlace) -> None:
        """Connect to nothing yet."""
        self._place = place

    def unseen(self) -> Iterator[MailboxMessage]:
        """Yield the messages not yet seen. Raises OSError."""
        with self._opened() as server:
            for uid in self._uids(server)[:MOST]:
                raw = self._fetched(server, uid)
                delete = partial(self._flag, server, uid, r"(\Deleted \Seen)")
                yield MailboxMessage(raw, delete, partial(self._flag, server, uid, r"(\Seen)"))
            server.expunge()

    def waiting(self) -> int:
        """Count the messages not yet seen. Raises OSError."""
        with self._opened() as server:
            return len(self._uids(server))

    @contextmanager
    def _opened(self) -> Iterator[imaplib.IMAP4]:
        place = self._place
        try:
            server = self._connected()
            try:
                server.login(place.username, place.password)
                if server.select(_quoted(place.folder))[0] != "OK":
                    raise ImapFailed("there is no such folder")
                yield server
            finally:
                server.logout()
        except imaplib.IMAP4.error:
            # Its words may hold what was sent, the password too.
            raise ImapFailed("the server refused") from None

    def _connected(self) -> imaplib.IMAP4:
        place = self._place
        if not place.tls:
            return imaplib.IMAP4(place.host, place.port, timeout=PATIENCE)
        context = ssl.create_default_context()
        return imaplib.IMAP4_SSL(place.host, place.port, ssl_context=context, timeout=PATIENCE)

    @staticmethod
    def _uids(server: imaplib.IMAP4) -> list[bytes]:
        status, found = server.uid("SEARCH", "UNSEEN", "UNDELETED")
        if status != "OK":
            raise ImapFailed("it cannot be searched")
        return _UID.findall(found[0] or b"")

    @staticmethod
    def _fetched(server: imaplib.IMAP4, uid: bytes) -> bytes:
        status, found = server.uid("FETCH", uid.decode(), f"(BODY.PEEK[]<0.{LARGEST}>)")
        bodies = [each[1] for each in found if isinstance(each, tuple)]
        if status != "OK" or not bodies:
            return b""
        return bytes(bodies[0])

    @staticmethod
    def _flag(server: imaplib.IMAP4, uid: bytes, flags: str) -> None:
        if server.uid("STORE", uid.decode(), "+FLAGS.SILENT", flags)[0] != "OK":
            raise ImapFailed("it cannot be marked")


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
