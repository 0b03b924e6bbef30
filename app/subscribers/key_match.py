"""Whether a database holds readers, and whether these keys are theirs: a sample tells."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.addresses.address import EmailAddress
from app.addresses.keyring import Keyring
from app.subscribers.models import SignUp, Subscriber
from app.subscribers.row_integrity import admitted_row, open_row, rows
from app.suppressions.models import Suppression

SAMPLE = 200


def has_readers(session: Session) -> bool:
    """Tell whether anything here was sealed or indexed for somebody."""
    queries = (select(each).limit(1) for each in (Subscriber.id, SignUp.id, Suppression.reason))
    return any(session.scalar(query) is not None for query in queries)


def list_opens(session: Session, keyring: Keyring) -> bool:
    """Tell whether these keys open any of the list's rows, or there are none."""
    found = session.execute(rows().limit(SAMPLE)).all()
    opened = (open_row(keyring, admitted_row(row), has_ended=False) for row in found)
    return not found or any(isinstance(each, EmailAddress) for each in opened)
