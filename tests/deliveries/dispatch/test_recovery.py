"""What a dead sender held: settled by its journal, in doubt without it, or pending again."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.deliveries.dispatch.attempt_journal import AttemptJournal, Journals, Result
from app.deliveries.dispatch.recovery import Recovered, recover
from app.deliveries.dispatch.reply_codec import result_of
from app.deliveries.ledger.claiming import claim
from app.deliveries.ledger.enrolment import take_in_service_messages
from app.deliveries.ledger.leases import LEASE, register
from app.deliveries.ledger.models import Delivery, Sender
from app.mail.replies import Answer, Reply, Stage
from app.operators.alerts import recent_alerts
from app.subscribers.service_messages import send_manage_link
from tests.deliveries.rows import a_mailing, row, states
from tests.support.builders import a_subscriber
from tests.support.clock import MONDAY

ACCEPTED = Result(6, 250, (2, 0, 0))
NO_REPLY = Result(6, 0, None)
LATER = MONDAY + LEASE + timedelta(seconds=1)


def all_silent(session: Session) -> dict[int, datetime]:
    """Take every sender for one that was seen not to renew its lease."""
    return {each.id: each.lease_until for each in session.scalars(select(Sender))}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Journals]:
    """The journals of the sender that recovers."""
    journals = Journals(tmp_path / "here")
    yield journals
    journals.close()


def _held(session: Transaction, keyring: Keyring, journals: Journals, count: int = 4) -> list[int]:
    """Let a sender with these journals hold messages; return their numbers."""
    a_mailing(session, keyring, count)
    sender_id = register(session, journals.identity, str(journals.folder), now=MONDAY)
    held = [c.claim.delivery_id for c in claim(session, sender_id, limit=count, now=MONDAY)]
    return [sender_id, *held]


def _note(journals: Journals, sender_id: int, sent: int, lost: int, no_reply: int) -> None:
    journal = AttemptJournal(journals.folder, sender_id)
    for delivery in (sent, lost, no_reply):
        journal.note(delivery, 1)
    journal.settle(sent, 1, ACCEPTED)
    journal.settle(no_reply, 1, NO_REPLY)
    journal.close()


def test_our_own_earlier_life_is_settled_at_once(
    database: Database, keyring: Keyring, here: Journals
) -> None:
    with database.transaction() as session:
        sender_id, sent, lost, no_reply, free = _held(session, keyring, here)
        _note(here, sender_id, sent, lost, no_reply)
        assert recover(session, here, None, now=MONDAY) == Recovered(1, 1, 2)
        assert row(session, sent).state == "sent"
        assert row(session, sent).attempts == 1
        assert row(session, lost).state == row(session, no_reply).state == "uncertain"
        assert row(session, free).state == "pending"
        assert session.scalars(select(Sender)).all() == []
        assert [each.key for each in recent_alerts(session)] == [f"uncertain-{sender_id}"]


def test_recovering_again_changes_nothing(
    database: Database, keyring: Keyring, here: Journals
) -> None:
    with database.transaction() as session:
        sender_id, sent, lost, no_reply, _ = _held(session, keyring, here)
        _note(here, sender_id, sent, lost, no_reply)
        recover(session, here, None, now=MONDAY)
        before = states(session)
        assert recover(session, here, None, now=MONDAY) == Recovered(0, 0, 0)
        assert states(session) == before


def test_an_attempt_that_the_ledger_knows_tells_nothing_of_a_later_claim(
    database: Database, keyring: Keyring, here: Journals
) -> None:
    with database.transaction() as session:
        sender_id, sent, lost, no_reply, _ = _held(session, keyring, here)
        _note(here, sender_id, sent, lost, no_reply)
        # Deferred after its first attempt, or released by an operator; then claimed once more.
        session.execute(update(Delivery).values(attempts=1))
        assert recover(session, here, None, now=MONDAY) == Recovered(4, 0, 0)


def test_after_the_machine_was_started_anew_what_is_not_noted_is_in_doubt(
    database: Database, keyring: Keyring, here: Journals
) -> None:
    with database.transaction() as session:
        sender_id, sent, lost, no_reply, free = _held(session, keyring, here)
        _note(here, sender_id, sent, lost, no_reply)
        (here.folder / "boot").write_text("another")
        assert recover(session, here, None, now=MONDAY) == Recovered(0, 1, 3)
        assert row(session, free).state == "uncertain"


def test_without_a_journal_everything_is_in_doubt(
    database: Database, keyring: Keyring, here: Journals
) -> None:
    with database.transaction() as session:
        _held(session, keyring, here)
        recover(session, here, None, now=MONDAY)
        assert states(session) == {"uncertain": 4}


def test_a_dead_sender_of_this_machine_tells_by_its_journal(
    database: Database, keyring: Keyring, here: Journals, tmp_path: Path
) -> None:
    other = Journals(tmp_path / "other")
    with database.transaction() as session:
        sender_id, sent, lost, no_reply, _ = _held(session, keyring, other)
        _note(other, sender_id, sent, lost, no_reply)
        other.close()
        assert recover(session, here, None, now=MONDAY) == Recovered(0, 0, 0)  # its lease runs
        found = recover(session, here, None, now=LATER, silent=all_silent(session))
        assert found == Recovered(1, 1, 2)


def test_a_folder_of_the_same_name_on_another_machine_proves_nothing(
    database: Database, keyring: Keyring, here: Journals, tmp_path: Path
) -> None:
    with database.transaction() as session:
        _held(session, keyring, here)
        session.execute(update(Sender).values(identity="of another machine"))
        AttemptJournal(here.folder, 1).close()
        here.close()
        third = Journals(tmp_path / "third")
        recover(session, third, None, now=LATER, silent=all_silent(session))
        third.close()
        assert states(session) == {"uncertain": 4}


def test_a_living_sender_is_not_robbed_of_its_folder(
    database: Database, keyring: Keyring, here: Journals, tmp_path: Path
) -> None:
    living = Journals(tmp_path / "living")
    with database.transaction() as session:
        sender_id, *_ = _held(session, keyring, living)
        AttemptJournal(living.folder, sender_id).close()
        recover(session, here, None, now=LATER, silent=all_silent(session))
        assert states(session) == {"uncertain": 4}  # it may be sending them at this moment
    assert list(living.folder.glob("attempts-*"))
    living.close()


def test_we_do_not_take_ourselves_for_dead(
    database: Database, keyring: Keyring, here: Journals
) -> None:
    with database.transaction() as session:
        sender_id, *_ = _held(session, keyring, here)
        silent = all_silent(session)
        assert recover(session, here, sender_id, now=LATER, silent=silent) == Recovered(0, 0, 0)
        assert states(session) == {"claimed": 4}


def test_a_service_message_in_doubt_is_repeated(
    database: Database, keyring: Keyring, here: Journals
) -> None:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring)
        send_manage_link(session, keyring, reader.id, "en", MONDAY)
        session.flush()
        take_in_service_messages(session, now=MONDAY)
        sender_id = register(session, here.identity, str(here.folder), now=MONDAY)
        (only,) = claim(session, sender_id, limit=1, now=MONDAY)
        journal = AttemptJournal(here.folder, sender_id)
        journal.note(only.claim.delivery_id, 1)
        journal.close()
        recover(session, here, None, now=MONDAY)
        found = row(session, only.claim.delivery_id)
        assert (found.state, found.attempts) == ("deferred", 1)
        assert found.due_at > MONDAY


@pytest.mark.parametrize(
    ("stage", "code", "status", "state"),
    [
        (Stage.DOT, 554, None, "pending"),  # the words that would say whose fault it is are lost
        (Stage.RCPT, 550, None, "pending"),
        (Stage.DOT, 550, "5.7.750", "pending"),
        (Stage.RCPT, 550, "5.1.1", "failed"),
    ],
)
def test_a_refusal_without_its_words_fails_only_where_the_codes_name_the_reader(
    database: Database,
    keyring: Keyring,
    here: Journals,
    stage: Stage,
    code: int,
    status: str | None,
    state: str,
) -> None:
    with database.transaction() as session:
        sender_id, refused = _held(session, keyring, here, 1)
        journal = AttemptJournal(here.folder, sender_id)
        journal.note(refused, 1)
        journal.settle(refused, 1, result_of(Answer(stage, Reply(code, status, ""))))
        journal.close()
        recover(session, here, None, now=MONDAY)
        assert row(session, refused).state == state
