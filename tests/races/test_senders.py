"""Senders meet each other, lists that are imported, and a change of keys."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.addresses.address import EmailAddress
from app.addresses.blind_index import blind_index
from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.deliveries.destinations import coordination
from app.deliveries.destinations.coordination import (
    FORGOTTEN,
    ThrottleRequest,
    exchange,
    forget_groups,
    standings,
)
from app.deliveries.dispatch.attempt_journal import Journals
from app.deliveries.dispatch.recovery import recover
from app.deliveries.ledger.claiming import claim
from app.deliveries.ledger.leases import LEASE, renew
from app.key_rotation.reencryption import Reencrypted, reencrypt_some
from app.keys.creation import create_keys
from app.keys.generations import make_generation, use_generation
from app.mail.limits import NO_LIMITS
from app.settings import Rate
from app.subscribers import admission
from app.subscribers.admission import admit
from app.subscribers.imports.list_batches import Tally
from app.subscribers.models import Subscriber, Subscription
from app.subscribers.pending_removals import process
from app.subscribers.service_message_kinds import ALREADY_SUBSCRIBED, MANAGE_LINK
from app.subscribers.sign_up import drop_manage_wish
from app.subscribers.unsubscription import Leaving, say_farewell, unsubscribe
from app.suppressions.models import Suppression
from app.suppressions.reasons import COMPLAINT
from tests.deliveries.rows import a_mailing, a_sender, states
from tests.subscribers.imports.test_importing import foretell, readers, run
from tests.subscribers.test_admission import let_in, messages, sign_up
from tests.support.builders import NEWSLETTER, a_subscriber
from tests.support.clock import MONDAY
from tests.support.meeting import in_one, meet, meet_within

TODAY = MONDAY.date()
READER = EmailAddress.parse("ann@example.org")


def wish_to_manage(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        drop_manage_wish(session, keyring, READER, language="en", today=TODAY)


@pytest.mark.parametrize(
    ("ask", "kind"), [(wish_to_manage, MANAGE_LINK), (sign_up, ALREADY_SUBSCRIBED)]
)
def test_two_senders_that_admit_one_reader_write_one_message(
    ask: Callable[[Database, Keyring], None], kind: str, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring)
    ask(database, keyring)
    ask(database, keyring)

    def admit_one(session: Transaction) -> None:
        admit(session, keyring, rates=(), now=MONDAY, limit=1)

    meet(database, admit_one, admit_one)
    let_in(database, keyring)  # the step is repeated, should it have failed
    assert messages(database) == [kind]


def one_who_left(database: Database, keyring: Keyring) -> Subscriber:
    """A reader who left, and whose tombstone the sender has yet to keep."""
    with database.transaction() as session:
        reader = a_subscriber(session, keyring)
        leaving = Leaving(reader.link_id, NEWSLETTER.segment("en"), "en")
        unsubscribe(session, leaving, today=TODAY, tombstone=TODAY + timedelta(days=365))
        return reader


def test_who_left_is_not_brought_back_before_the_sender_keeps_the_tombstone(
    database: Database, keyring: Keyring
) -> None:
    one_who_left(database, keyring)
    content = f"email,segments,language\n{READER.wire},EN,\n"
    assert foretell(database, keyring, content).suppressed == 1
    assert run(database, keyring, content).suppressed == 1
    with database.reading() as reading:
        assert reading.scalars(select(Subscription)).all() == []


def test_a_graver_reason_to_keep_an_index_is_not_lost_when_it_is_kept(
    database: Database, keyring: Keyring
) -> None:
    reader = one_who_left(database, keyring)
    meet(
        database,
        lambda session: say_farewell(session, reader.id, COMPLAINT, until=None),
        lambda session: process(session, keyring, today=TODAY),
    )
    with database.transaction() as session:
        process(session, keyring, today=TODAY)
    with database.reading() as reading:
        assert reading.scalars(select(Suppression.reason)).all() == [COMPLAINT]


def test_two_senders_that_withhold_messages_do_not_wait_in_a_circle(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One withholds a message to a and counts one to b; the other counts b, and withholds c's."""
    once = (Rate(1, timedelta(days=1)),)
    for name in ("a", "c"):
        sign_up(database, keyring, f"{name}@example.org")
        let_in(database, keyring, rates=once)
    for name in ("a", "aa", "b"):
        sign_up(database, keyring, f"{name}@example.org", segments=("be-ru",))

    def other() -> None:
        for name in ("b", "c"):
            sign_up(database, keyring, f"{name}@example.org", segments=("en", "be-ru"))
        let_in(database, keyring, rates=once)

    raised = meet_within(
        database,
        monkeypatch,
        (admission, "_welcome"),  # of aa
        lambda session: admit(session, keyring, rates=once, now=MONDAY),
        other,
    )
    assert raised == []


def test_a_list_and_sign_ups_of_the_same_people_do_not_wait_in_a_circle(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Admission goes by the addresses, a list by their indexes."""
    names = [f"r{number:02}@example.org" for number in range(40)]
    index = {name: blind_index(keyring.index, EmailAddress.parse(name)) for name in names}
    one, two = next((a, b) for a in names for b in names if a < b and index[a] > index[b])
    sign_up(database, keyring, one)
    sign_up(database, keyring, two)
    content = f"email,segments,language\n{one},EN,\n{two},EN,\n"
    told: list[Tally] = []
    raised = meet_within(
        database,
        monkeypatch,
        (admission, "_welcome"),
        lambda session: admit(session, keyring, rates=(), now=MONDAY),
        lambda: told.append(run(database, keyring, content)),
    )
    # PostgreSQL ends one of the two: the list is taken in again, or the sign-ups at the next step.
    assert ["deadlock" in each for each in raised] in ([], [True])
    let_in(database, keyring)
    (tally,) = told
    assert (tally.added + tally.changed, tally.lines) == (2, 2)
    known = readers(database, keyring)
    assert known.keys() == {one, two}
    assert all(held["en"] in ("confirmed", "pending") for _, held in known.values())


def test_a_change_of_keys_and_admission_do_not_wait_in_a_circle(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Admission goes by the addresses, sealing anew by the ids."""
    create_keys(tmp_path / "keys")
    old = Keyring.load(tmp_path / "keys")
    with database.transaction() as session:
        ids = {name: a_subscriber(session, old, f"{name}@example.org").id for name in "abcdefgh"}
    one, two = next((x, y) for x in ids for y in ids if x < y and ids[x] > ids[y])
    make_generation(tmp_path / "keys", old.generation + 1, today=TODAY)
    use_generation(tmp_path / "keys", old.generation + 1)
    new = Keyring.load(tmp_path / "keys")
    for name in (one, two):
        sign_up(database, new, f"{name}@example.org", segments=("be-ru",))
    sealed = Reencrypted()
    raised = meet_within(
        database,
        monkeypatch,
        (admission, "_greet"),
        lambda session: admit(session, new, rates=(), now=MONDAY),
        lambda: reencrypt_some(database, new, sealed, today=TODAY),
    )
    assert ["deadlock" in each for each in raised] in ([], [True])
    assert sealed.done == len(ids)


def test_a_sender_that_renews_its_lease_at_this_moment_is_not_taken_for_dead(
    database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring, 2)
        living = a_sender(session)
        claim(session, living, limit=2, now=MONDAY)
    journals, end = Journals(tmp_path / "here"), MONDAY + LEASE
    meet(
        database,
        lambda session: renew(session, living, "one", "/nowhere/attempts", now=end),
        lambda session: recover(
            session, journals, None, now=end + timedelta(milliseconds=1), silent={living: end}
        ),
    )
    journals.close()
    with database.reading() as reading:
        assert states(reading) == {"claimed": 2}


def an_idle_group(database: Database) -> None:
    with database.transaction() as session:
        exchange(session, [ThrottleRequest("g", NO_LIMITS, wanted=1)], 1, now=MONDAY)


def test_a_group_that_sends_us_away_at_this_moment_is_not_forgotten(database: Database) -> None:
    an_idle_group(database)
    later = MONDAY + 2 * FORGOTTEN
    meet(
        database,
        lambda session: exchange(
            session, [ThrottleRequest("g", NO_LIMITS, away=True)], 1, now=later
        ),
        lambda session: forget_groups(session, now=later),
    )
    with database.reading() as session:
        assert "g" in standings(session)


def test_a_group_that_is_forgotten_while_it_is_asked_for_is_known_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_idle_group(database)
    later = MONDAY + 2 * FORGOTTEN
    raised = meet_within(
        database,
        monkeypatch,
        (coordination, "insert_if_absent"),
        lambda session: exchange(session, [ThrottleRequest("g", NO_LIMITS)], 1, now=later),
        lambda: in_one(database, lambda session: forget_groups(session, now=later)),
    )
    assert raised == []
