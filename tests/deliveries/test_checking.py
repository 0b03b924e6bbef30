"""The last look: whoever must not get the letter does not, each for its own reason."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from app.addresses.address import EmailAddress
from app.addresses.index import never_indexes
from app.addresses.keys import Keyring
from app.addresses.sealing import seal
from app.database import Database, Transaction
from app.deliveries.checking import Checker, Ready
from app.deliveries.claiming import claim
from app.deliveries.completion import exclude_rest
from app.deliveries.enrolment import take_in_alerts, take_in_service_letters
from app.deliveries.models import Delivery
from app.mailings.control import cancel, pause
from app.mailings.models import Mailing
from app.operators.alerts import alert, recent_alerts
from app.settings import Mailbox, Recipients
from app.subscribers.asking import send_manage_link
from app.subscribers.farewells import bury
from app.subscribers.flaws import Flaw
from app.subscribers.models import ServiceLetter, Subscriber, Subscription
from app.subscribers.quarantine import counts
from app.subscribers.unsubscription import UNSUBSCRIBED, end
from app.suppressions.reasons import COMPLAINT, LEFT
from app.suppressions.suppressing import suppress
from app.tables import METADATA
from app.tokens import new_link_id
from tests.deliveries.rows import a_mailing, a_sender, row
from tests.support.builders import a_subscriber
from tests.support.clock import MONDAY

EVERYONE = Recipients(everyone=True, only=frozenset())
NOBODY = Recipients(everyone=False, only=frozenset())
Spoil = Callable[[Transaction, Keyring, Subscriber], None]
BOUND = ("sealed", "admit", "link_id", "blind_index")
LIST = [METADATA.tables[name] for name in ("subscribers", "subscriptions")]


def look(
    session: Transaction,
    keyring: Keyring,
    *,
    spoil: Spoil | None = None,
    recipients: Recipients = EVERYONE,
    after: timedelta = timedelta(0),
) -> tuple[Sequence[Ready], Delivery]:
    """Claim one reader's letter, spoil something, look; return what may go, and the row."""
    a_mailing(session, keyring, 1)
    sender_id = a_sender(session)
    claims = claim(session, sender_id, limit=9, now=MONDAY)
    reader = session.scalars(select(Subscriber)).one()
    if spoil is not None:
        spoil(session, keyring, reader)
        session.flush()
        session.expire_all()
    checker = Checker(keyring, recipients, None)
    ready = checker.check(session, sender_id, claims, now=MONDAY + after)
    return ready, row(session, claims[0].delivery_id)


def test_a_letter_that_may_go_is_handed_over(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        (ready,), found = look(session, keyring)
        assert ready.address == "reader-0-2025-W04@example.org"
        assert (found.state, found.handed, found.attempted_at) == ("claimed", True, MONDAY)


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
def test_c4_c5_a_letter_that_must_not_go_is_excluded_with_its_reason(
    spoil: Spoil, reason: str, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        ready, found = look(session, keyring, spoil=spoil)
        assert ready == []
        assert (found.state, found.reason, found.claimed_by) == ("excluded", reason, None)
        told = [each.key.partition("-")[0] for each in recent_alerts(session)]
        assert told == (["subscriber"] if reason == "damaged" else [])
        flaw = Flaw.REPLAYED if spoil is put_back else Flaw.CHANGED
        expected = {("subscriber", flaw): 1} if reason == "damaged" else {}
        assert counts(session) == expected


def test_a_paused_mailing_s_letter_goes_back(database: Database, keyring: Keyring) -> None:
    def spoil(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
        pause(session, session.scalars(select(Mailing)).one().id)

    with database.transaction() as session:
        ready, found = look(session, keyring, spoil=spoil)
        assert ready == []
        assert (found.state, found.claimed_by, found.handed) == ("pending", None, False)


def test_a_letter_whose_time_is_over_has_failed(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        ready, found = look(session, keyring, after=timedelta(hours=48))
        assert (ready, found.state, found.reason) == ([], "failed", "expired")


def test_whom_the_settings_do_not_allow_gets_nothing(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        ready, found = look(session, keyring, recipients=NOBODY)
        assert (ready, found.state, found.reason) == ([], "excluded", "not allowed")


def test_a_claim_that_another_took_over_is_left_alone(database: Database, keyring: Keyring) -> None:
    def spoil(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
        session.execute(update(Delivery).values(claimed_by=999))

    with database.transaction() as session:
        ready, found = look(session, keyring, spoil=spoil)
        assert (ready, found.state, found.claimed_by) == ([], "claimed", 999)


def _one_manage_link(session: Transaction, keyring: Keyring) -> int:
    reader = a_subscriber(session, keyring)
    send_manage_link(session, keyring, reader.id, "ru", MONDAY)
    session.flush()
    take_in_service_letters(session, now=MONDAY)
    return a_sender(session)


def test_a_service_letter_speaks_the_language_it_was_asked_in(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        sender_id = _one_manage_link(session, keyring)
        claims = claim(session, sender_id, limit=9, now=MONDAY)
        (ready,) = Checker(keyring, EVERYONE, None).check(session, sender_id, claims, now=MONDAY)
        assert ready.language == "ru"


@pytest.mark.parametrize("how", ["used", "deleted"])
def test_a_service_letter_that_is_not_wanted_any_more(
    how: str, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        sender_id = _one_manage_link(session, keyring)
        claims = claim(session, sender_id, limit=9, now=MONDAY)
        if how == "used":
            session.execute(update(ServiceLetter).values(used=True))
        else:
            session.execute(delete(ServiceLetter))
        checker = Checker(keyring, EVERYONE, None)
        assert checker.check(session, sender_id, claims, now=MONDAY) == []
        found = row(session, claims[0].delivery_id)
        assert (found.state, found.reason) == ("excluded", "withdrawn")


@pytest.mark.parametrize("to", [None, Mailbox("", "ops@example.org")])
def test_an_alert_goes_to_the_operators_mailbox_alone(
    to: Mailbox | None, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        alert(session, "one", "Something happened.", now=MONDAY)
        take_in_alerts(session, now=MONDAY)
        sender_id = a_sender(session)
        claims = claim(session, sender_id, limit=9, now=MONDAY)
        ready = Checker(keyring, NOBODY, to).check(session, sender_id, claims, now=MONDAY)
        assert [each.address for each in ready] == ([to.address] if to else [])


def test_claims_of_several_mailings_are_looked_at_together(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring, 2)
        sender_id = _one_manage_link(session, keyring)
        claims = claim(session, sender_id, limit=9, now=MONDAY)
        ready = Checker(keyring, EVERYONE, None).check(session, sender_id, claims, now=MONDAY)
        assert [each.claim for each in ready] == claims
        assert len({each.address for each in ready}) == 3


def never_of(keyring: Keyring) -> tuple[bytes, ...]:
    return never_indexes(keyring.never, EmailAddress.parse("reader-0-2025-W04@example.org"))


def test_who_is_suppressed_is_excluded_whatever_the_row_says(
    database: Database, keyring: Keyring
) -> None:
    """By the address itself; and soon after, the reader's row is gone."""

    def suppressed(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
        suppress(session, never_of(keyring), COMPLAINT, until=None)

    with database.transaction() as session:
        ready, found = look(session, keyring, spoil=suppressed)
        assert not ready
        assert (found.state, found.reason) == ("excluded", "suppressed")
        assert bury(session, keyring, today=MONDAY.date()) == 1
        assert session.scalars(select(Subscriber)).all() == []


def test_what_only_keeps_lists_away_excludes_nobody(database: Database, keyring: Keyring) -> None:
    def tombstone(session: Transaction, keyring: Keyring, reader: Subscriber) -> None:
        suppress(session, never_of(keyring), LEFT, until=None)

    with database.transaction() as session:
        ready, _ = look(session, keyring, spoil=tombstone)
        assert len(ready) == 1
