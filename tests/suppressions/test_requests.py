"""An operator's request: sealed at once, opened by the sender alone."""

from sqlalchemy import select, update

from app.addresses.address import EmailAddress
from app.addresses.keyring import Keyring
from app.database import Database
from app.suppressions.models import SuppressionRequest
from app.suppressions.requests import request, take_requests
from tests.support.clock import MONDAY

ANN = EmailAddress.parse("ann@example.org")


def test_the_sender_learns_whom_it_means(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        request(session, keyring, ANN, today=MONDAY.date())
    with database.transaction() as session:
        (waiting,) = session.scalars(select(SuppressionRequest))
        assert b"ann" not in waiting.hot
        assert take_requests(session, keyring) == [ANN]
        assert take_requests(session, keyring) == []


def test_a_damaged_request_is_dropped(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        request(session, keyring, ANN, today=MONDAY.date())
    with database.transaction() as session:
        session.execute(update(SuppressionRequest).values(hot=b"x" * 306))
    with database.transaction() as session:
        assert take_requests(session, keyring) == []
    with database.reading() as session:
        assert session.scalars(select(SuppressionRequest)).all() == []
