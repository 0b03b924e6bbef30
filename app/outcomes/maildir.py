"""A Maildir, as Dovecot, Postfix, Exim and procmail write it: one message, one file.

What is new lies in `new/`; what was seen moves to `cur/` with the flag S. `tmp/` is never read.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from app.mail.reports.parts import LARGEST
from app.outcomes.mailbox_message import MailboxMessage

MOST = 500  # messages of one look


class Maildir:
    """One Maildir."""

    name = "maildir"

    def __init__(self, folder: Path) -> None:
        """Read nothing yet."""
        self._folder = folder

    def unseen(self) -> Iterator[MailboxMessage]:
        """Yield the messages in `new/`, oldest name first. Raises OSError."""
        for path in sorted((self._folder / "new").iterdir())[:MOST]:
            if path.is_symlink() or not path.is_file():
                continue
            with path.open("rb") as file:
                raw = file.read(LARGEST)
            yield MailboxMessage(
                raw, partial(path.unlink, missing_ok=True), partial(self._seen, path)
            )

    def waiting(self) -> int:
        """Count the messages in `new/`. Raises OSError."""
        return sum(1 for _ in (self._folder / "new").iterdir())

    def _seen(self, path: Path) -> None:
        folder = self._folder / "cur"
        folder.mkdir(mode=0o700, exist_ok=True)
        path.rename(folder / f"{path.name.partition(':')[0]}:2,S")
