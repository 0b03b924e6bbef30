"""The rows of subscribers as they are opened: which columns, and whether a row was put back."""

from typing import Any

from sqlalchemy import Row, Select, select

from app.addresses.address import EmailAddress
from app.addresses.admission import AdmittedRow
from app.addresses.keyring import Keyring
from app.addresses.row_faults import Flaw, open_row
from app.subscribers.models import DeletedRow, Subscriber

__all__ = ["HAS_ENDED", "ROW", "Flaw", "admitted_row", "open_row", "open_selected", "rows"]

ROW = (
    *(Subscriber.id, Subscriber.link_id, Subscriber.blind_index),
    *(Subscriber.sealed, Subscriber.admit),
)
"""The columns of an `AdmittedRow`, in its order."""

HAS_ENDED = select(DeletedRow.id).where(DeletedRow.id == Subscriber.id).exists().label("has_ended")
"""Whether this row was deleted once before: then it was put back."""


def rows() -> Select[bytes, bytes, bytes, bytes, bytes, bool]:
    """Select what `open_row` wants of subscribers."""
    return select(*ROW, HAS_ENDED)


def admitted_row(row: Row[*tuple[Any, ...]]) -> AdmittedRow:
    """Return what `rows` selected of one subscriber."""
    return AdmittedRow(row.id, row.link_id, row.blind_index, row.sealed, row.admit)


def open_selected(keyring: Keyring, row: Row[*tuple[Any, ...]]) -> EmailAddress | Flaw:
    """Open a row that `rows` selected."""
    return open_row(keyring, admitted_row(row), has_ended=row.has_ended)
