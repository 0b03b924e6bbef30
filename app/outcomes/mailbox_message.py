"""A message found in a mailbox, and what may be done with it."""

from collections.abc import Callable
from typing import NamedTuple


class MailboxMessage(NamedTuple):
    """A message not yet seen: its first megabyte, and how to delete it, or to keep it as seen."""

    raw: bytes
    delete: Callable[[], object]
    keep: Callable[[], object]
