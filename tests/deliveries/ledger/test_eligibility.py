"""The last look: whoever must not get the message does not, each for its own reason."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from app.addresses.address import EmailAddress
from app.addresses.blind_index import never_indexes
from app.addresses.keyring import Keyring
from app.addresses.sealing import seal
from app.database import Database, Transaction
from app.deliveries.compose.composing import Outgoing
from app.deliveries.dispatch.exchange import Report
from app.deliveries.ledger.cancelling import exclude_rest
from app.deliveries.ledger.enrolment import take_in_alerts, take_in_service_messages
from app.deliveries.ledger.models import Delivery
from app.mailings.control import cancel, pause
from app.mailings.models import Mailing
from app.operators.alerts import alert, recent_alerts
from app.settings import Mailbox
from app.subscribers.complaint_lifting import lift_when_confirmed
from app.subscribers.models import ServiceMessage, Subscriber, Subscription
from app.subscribers.pending_removals import process
from app.subscribers.quarantine import counts
from app.subscribers.row_integrity import Flaw
from app.subscribers.service_messages import send_manage_link
from app.subscribers.unsubscription import UNSUBSCRIBED, end
from app.suppressions.reasons import COMPLAINT, DEAD, LEFT, NEVER
from app.suppressions.suppressing import suppress
from app.tables import METADATA
from app.tokens import new_link_id
from tests.deliveries.desk import Desk
from tests.deliveries.rows import a_mailing, row
from tests.support.builders import a_subscriber
from tests.support.clock import MONDAY, SetClock

NOBODY = frozenset[str]()
Spoil = Callable[[Transaction, Keyring, Subscriber], None]
BOUND = ("sealed", "admit", "link_id", "blind_index")
LIST = [METADATA.tables[name] for name in ("subscribers", "subscriptions")]


def look(
    database: Database,
    keyring: Keyring,
    *,
    spoil: Spoil | None = None,
    allowed: frozenset[str] | None = None,
    after: timedelta = timedelta(0),
) -> tuple[Sequence[Outgoing], Delivery]:
    """Spoil something of one reader's message, then claim it; return what may go, and the row."""
    with database.transaction() as session:
        a_mailing(session, keyring, 1)
        reader = session.scalars(select(Subscriber)).one()
        if spoil is not None:
            spoil(session, keyring, reader)
    desk = Desk(database, keyring, allowed, clock=SetClock(MONDAY + after))
    messages = desk.claim()
    with database.reading() as session:
        return messages, session.scalars(select(Delivery)).one()


def test_a_message_that_may_go_is_opened(database: Database, keyring: Keyring) -> None:
    (message,), found = look(database, keyring)
    assert message.recipient == "reader-0-2025-W04@example.org"
    assert (found.state, found.attempted_at) == ("claimed", MONDAY)


def left(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
    session.delete(reader)


def left_the_segment(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
    session.execute(update(Subscription).values(segment="be-ru"))


def no_longer_confirmed(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
    session.execute(update(Subscription).values(state="pending"))


def cancelled(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
    mailing = session.scalars(select(Mailing)).one()
    cancel(session, mailing.id, now=MONDAY)
    session.flush()
    exclude_rest(session, mailing.id, "cancelled")


def flip(octets: bytes) -> bytes:
    return octets[:-1] + bytes([octets[-1] ^ 1])


def flipped(column: str) -> Spoil:
    def spoil(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
        setattr(reader, column, flip(getattr(reader, column)))

    spoil.__name__ = f"flipped_{column}"
    return spoil


def swapped(column: str) -> Spoil:
    """Put another reader's value into the row; with its mark, too, for `sealed_and_admit`."""

    def spoil(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
        other = a_subscriber(session, keyring, "other@example.org", segments=[])
        values = {name: getattr(other, name) for name in column.split("_and_")}
        session.delete(other)  # some of these columns are unique
        session.flush()
        for name, value in values.items():
            setattr(reader, name, value)

    spoil.__name__ = f"swapped_{column}"
    return spoil


def planted(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
    """Seal another address with the public key, as anyone could who can write the database."""
    reader.sealed = seal(keyring.list_sealing, reader.id, EmailAddress("victim@example.org"))


def relinked(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
    reader.link_id = new_link_id()


def put_back(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
    """Let the reader leave, and put their rows back as they were, as a backup would."""
    kept = [[dict(row) for row in session.execute(select(table)).mappings()] for table in LIST]
    end(session, reader.id, None, UNSUBSCRIBED, today=MONDAY.date())
    for table, rows in zip(LIST, kept, strict=True):
        session.execute(insert(table), rows)


def emptied(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
    reader.sealed = reader.admit = b""


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (left, "unsubscribed"),
        (left_the_segment, "unsubscribed"),
        (no_longer_confirmed, "unsubscribed"),
        (cancelled, "cancelled"),
        *((flipped(column), "damaged") for column in BOUND),
        *((swapped(column), "damaged") for column in BOUND),
        (swapped("sealed_and_admit"), "damaged"),
        (swapped("sealed_and_admit_and_link_id"), "damaged"),
        (swapped("sealed_and_admit_and_link_id_and_blind_index"), "damaged"),
        (put_back, "damaged"),
        (planted, "damaged"),
        (relinked, "damaged"),
        (emptied, "damaged"),
    ],
)
def test_c4_c5_a_message_that_must_not_go_is_excluded_with_its_reason(
    spoil: Spoil, reason: str, database: Database, keyring: Keyring
) -> None:
    ready, found = look(database, keyring, spoil=spoil)
    assert ready == []
    assert (found.state, found.reason, found.claimed_by) == ("excluded", reason, None)
    with database.reading() as session:
        told = [each.key.partition("-")[0] for each in recent_alerts(session)]
        assert told == (["subscriber"] if reason == "damaged" else [])
        flaw = Flaw.REPLAYED if spoil is put_back else Flaw.CHANGED
        expected = {("subscriber", flaw): 1} if reason == "damaged" else {}
        assert counts(session) == expected


def test_a_paused_mailing_s_message_waits(database: Database, keyring: Keyring) -> None:
    def spoil(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
        pause(session, session.scalars(select(Mailing)).one().id)

    ready, found = look(database, keyring, spoil=spoil)
    assert ready == []
    assert (found.state, found.claimed_by) == ("pending", None)


def test_a_message_whose_time_is_over_has_failed(database: Database, keyring: Keyring) -> None:
    ready, found = look(database, keyring, after=timedelta(hours=48))
    assert (ready, found.state, found.reason) == ([], "failed", "expired")


def test_whom_the_settings_do_not_allow_gets_nothing(database: Database, keyring: Keyring) -> None:
    ready, found = look(database, keyring, allowed=NOBODY)
    assert (ready, found.state, found.reason) == ([], "excluded", "not allowed")


def claimed(database: Database, keyring: Keyring) -> tuple[Desk, int]:
    """Claim one reader's message; it waits to be looked at again."""
    with database.transaction() as session:
        a_mailing(session, keyring, 1)
    desk = Desk(database, keyring)
    (message,) = desk.claim()
    return desk, message.claim.delivery_id


def test_what_has_waited_is_looked_at_again(database: Database, keyring: Keyring) -> None:
    desk, number = claimed(database, keyring)
    assert desk.ledger.turn(Report(), [number], 0).again == {number}


def test_who_left_meanwhile_gets_no_message(database: Database, keyring: Keyring) -> None:
    desk, number = claimed(database, keyring)
    with database.transaction() as session:
        session.execute(delete(Subscription))
    assert desk.ledger.turn(Report(), [number], 0).again == set()
    with database.reading() as session:
        found = row(session, number)
        assert (found.state, found.reason) == ("excluded", "unsubscribed")


def test_a_mailing_paused_meanwhile_gets_its_message_back(
    database: Database, keyring: Keyring
) -> None:
    desk, number = claimed(database, keyring)
    with database.transaction() as session:
        pause(session, session.scalars(select(Mailing)).one().id)
    assert desk.ledger.turn(Report(), [number], 0).again == set()
    with database.reading() as session:
        assert (row(session, number).state, row(session, number).claimed_by) == ("pending", None)


def test_a_claim_that_another_took_over_is_left_alone(database: Database, keyring: Keyring) -> None:
    desk, number = claimed(database, keyring)
    with database.transaction() as session:
        session.execute(update(Delivery).values(claimed_by=999))
    assert desk.ledger.turn(Report(), [number], 0).again == set()
    with database.reading() as session:
        assert (row(session, number).state, row(session, number).claimed_by) == ("claimed", 999)


def _one_manage_link(session: Transaction, keyring: Keyring) -> None:
    reader = a_subscriber(session, keyring)
    send_manage_link(session, keyring, reader.id, "ru", MONDAY)
    session.flush()
    take_in_service_messages(session, now=MONDAY)


def test_a_service_message_speaks_the_language_it_was_asked_in(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        _one_manage_link(session, keyring)
    (message,) = Desk(database, keyring).claim()
    assert b"Content-Language: ru" in bytes(message.message)


@pytest.mark.parametrize("how", ["used", "deleted"])
def test_a_service_message_that_is_not_wanted_any_more(
    how: str, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        _one_manage_link(session, keyring)
        if how == "used":
            session.execute(update(ServiceMessage).values(used=True))
        else:
            session.execute(delete(ServiceMessage))
    assert Desk(database, keyring).claim() == []
    with database.reading() as session:
        found = session.scalars(select(Delivery)).one()
        assert (found.state, found.reason) == ("excluded", "withdrawn")


@pytest.mark.parametrize("to", [None, Mailbox("", "ops@example.org")])
def test_an_alert_goes_to_the_operators_mailbox_alone(
    to: Mailbox | None, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        alert(session, "one", "Something happened.", now=MONDAY)
        take_in_alerts(session, now=MONDAY)
    messages = Desk(database, keyring, NOBODY, to).claim()
    assert [each.recipient for each in messages] == ([to.address] if to else [])


def test_claims_of_several_mailings_are_looked_at_together(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring, 2)
        _one_manage_link(session, keyring)
    messages = Desk(database, keyring).claim()
    assert len({each.recipient for each in messages}) == 3


def never_of(keyring: Keyring) -> tuple[bytes, ...]:
    return never_indexes(keyring.never, EmailAddress.parse("reader-0-2025-W04@example.org"))


def test_who_is_suppressed_is_excluded_whatever_the_row_says(
    database: Database, keyring: Keyring
) -> None:
    """By the address itself; and soon after, the reader's row is gone."""

    def suppressed(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
        suppress(session, never_of(keyring), COMPLAINT, until=None)

    ready, found = look(database, keyring, spoil=suppressed)
    assert not ready
    assert (found.state, found.reason) == ("excluded", "suppressed")
    with database.transaction() as session:
        assert process(session, keyring, today=MONDAY.date()) == 1
        assert session.scalars(select(Subscriber)).all() == []


@pytest.mark.parametrize(("besides", "goes"), [((), True), ((NEVER,), False), ((DEAD,), False)])
def test_a_complaint_that_a_confirmation_lifts_excludes_nobody(
    database: Database, keyring: Keyring, besides: tuple[str, ...], *, goes: bool
) -> None:
    """Also before the sender has lifted it; whatever else stands against them, does."""

    def complained(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
        for reason in (COMPLAINT, *besides):
            suppress(session, never_of(keyring), reason, until=None)
        lift_when_confirmed(session, reader.id)

    ready, _ = look(database, keyring, spoil=complained)
    assert bool(ready) is goes


def test_what_only_keeps_lists_away_excludes_nobody(database: Database, keyring: Keyring) -> None:
    def tombstone(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
        suppress(session, never_of(keyring), LEFT, until=None)

    ready, _ = look(database, keyring, spoil=tombstone)
    assert len(ready) == 1
