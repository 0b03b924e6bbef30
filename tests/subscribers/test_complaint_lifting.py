"""A confirmation lifts a complaint, for whoever signed up again after it, and nothing else."""

from sqlalchemy import select, update

from app.addresses.address import EmailAddress
from app.addresses.blind_index import never_indexes
from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.subscribers.admission import admit
from app.subscribers.complaint_lifting import lift_confirmed, lift_when_confirmed, lifting
from app.subscribers.models import CONFIRMED, PENDING, PendingLift, Subscriber, Subscription
from app.subscribers.sign_up import drop
from app.suppressions.lookup import reasons_of
from app.suppressions.reasons import COMPLAINT, NEVER
from app.suppressions.suppressing import suppress
from tests.support.builders import a_subscriber
from tests.support.clock import MONDAY

TODAY = MONDAY.date()
ANN = EmailAddress.parse("ann@example.org")


def signs_up(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        drop(session, keyring, ANN, segments=["en"], language="en", consent="1", today=TODAY)
    with database.transaction() as session:
        admit(session, keyring, rates=(), now=MONDAY)


def complains(session: Transaction, keyring: Keyring, *reasons: str) -> None:
    for reason in (COMPLAINT, *reasons):
        suppress(session, never_indexes(keyring.never, ANN), reason, until=None)


def reasons(database: Database, keyring: Keyring) -> list[str]:
    with database.reading() as session:
        return reasons_of(session, never_indexes(keyring.never, ANN), today=TODAY)


def test_nothing_is_lifted_before_the_confirmation(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        complains(session, keyring)
    signs_up(database, keyring)
    with database.transaction() as session:
        assert lift_confirmed(session, keyring) == 0
    assert reasons(database, keyring) == [COMPLAINT]
    with database.transaction() as session:
        session.execute(update(Subscription).values(state=CONFIRMED))
        assert lift_confirmed(session, keyring) == 1
        assert session.scalars(select(PendingLift)).all() == []
    assert reasons(database, keyring) == []


def test_no_other_reason_is_lifted(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        complains(session, keyring, NEVER)
    signs_up(database, keyring)
    with database.transaction() as session:
        assert session.scalars(select(Subscriber)).all() == []
        assert session.scalars(select(PendingLift)).all() == []


def test_a_sign_up_without_a_complaint_leaves_nothing(database: Database, keyring: Keyring) -> None:
    signs_up(database, keyring)
    with database.reading() as session:
        assert session.scalars(select(PendingLift)).all() == []


def test_an_older_confirmation_lifts_nothing(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring)
        complains(session, keyring)
    signs_up(database, keyring)
    with database.transaction() as session:
        assert lift_confirmed(session, keyring) == 0
    assert reasons(database, keyring) == [COMPLAINT]


def test_it_goes_with_its_reader(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring, state=PENDING)
        lift_when_confirmed(session, reader.id)
        lift_when_confirmed(session, reader.id)
        assert lifting(session, [reader.id, b"x" * 16]) == {reader.id}
    with database.transaction() as session:
        session.delete(session.scalars(select(Subscriber)).one())
    with database.reading() as session:
        assert session.scalars(select(PendingLift)).all() == []


def test_a_row_that_does_not_open_lifts_nothing(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        complains(session, keyring)
        reader = a_subscriber(session, keyring)
        lift_when_confirmed(session, reader.id)
        session.execute(update(Subscriber).values(sealed=b"x" * 306))
    with database.transaction() as session:
        assert lift_confirmed(session, keyring) == 1
    assert reasons(database, keyring) == [COMPLAINT]
