"""What operators do meets what the steps and other operators do."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from app import log
from app.addresses.address import EmailAddress
from app.addresses.keyring import Keyring
from app.cli import subscribers, suppression
from app.cli.app_context import CommandContext
from app.database import Database, Transaction
from app.deliveries.ledger.cancelling import exclude_rest
from app.deliveries.ledger.claiming import claim
from app.deliveries.ledger.completion import anonymise, complete
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.recording import release
from app.editions import api
from app.issues import photos
from app.issues.decoding import decode
from app.issues.photos import delete_photo, keep
from app.key_rotation.key_users import KeysBehind
from app.key_rotation.rotation import Rotation
from app.keys.creation import create_keys
from app.mail.classification import Class
from app.mailings.control import cancel
from app.mailings.models import Mailing
from app.mailings.states import CANCELLED
from app.mailings.withdrawal import withdraw
from app.operators.api_keys import KeyNameTaken, create_key
from app.operators.models import AuditEntry
from app.outcomes.auto_pause import AutoPause
from app.settings import Thresholds
from app.subscribers.models import Subscription
from tests.deliveries.rows import a_mailing, claimed, states
from tests.key_rotation.test_rotation import Hurrying
from tests.outcomes.test_auto_pause import came_back
from tests.support.builders import WEEK, a_subscriber, an_issue
from tests.support.clock import MONDAY
from tests.support.meeting import in_one, meet, meet_within
from tests.support.photos import a_photo

TODAY = MONDAY.date()
READER = EmailAddress.parse("ann@example.org")


def test_a_mailing_that_is_cancelled_at_this_moment_is_not_paused(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 4)
        session.execute(update(Delivery).values(state="sent"))
        came_back(session, Class.HARD, 3)
    meet(
        database,
        lambda session: cancel(session, mailing.id, now=MONDAY),
        lambda session: AutoPause(Thresholds()).look(session, now=MONDAY),
    )
    with database.reading() as reading:
        assert reading.scalars(select(Mailing.state)).one() == CANCELLED


@pytest.mark.parametrize("command", [subscribers.erase, suppression.add])
def test_a_command_whose_keys_become_old_meanwhile_is_refused(
    command: Callable[[], None],
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A rotation does not wait for commands; with old keys they find nobody."""
    keys_dir = tmp_path / "keys"
    create_keys(keys_dir)
    loaded = Keyring.load(keys_dir)
    with database.transaction() as session:
        a_subscriber(session, loaded, READER.wire)
    Rotation(database, keys_dir, Hurrying(), 5, repr).run()
    monkeypatch.setattr(log, "configure", lambda *_, **__: None)
    monkeypatch.setattr(CommandContext, "database", database)
    monkeypatch.setattr(CommandContext, "keyring", loaded)
    for room in (subscribers, suppression):
        monkeypatch.setattr(room, "read_address", lambda _: READER)
    with pytest.raises(KeysBehind):
        command()
    with database.reading() as reading:
        assert reading.scalars(select(AuditEntry)).all() == [], "nothing is half done"
    monkeypatch.setattr(CommandContext, "keyring", Keyring.load(keys_dir))
    command()
    with database.reading() as reading:
        assert reading.scalars(select(Subscription)).all() == []


def test_a_message_given_back_after_its_mailing_was_cancelled_is_excluded(
    database: Database, keyring: Keyring
) -> None:
    mailing_id, sender_id, claims = claimed(database, keyring, 3)
    with database.transaction() as session:
        cancel(session, mailing_id, now=MONDAY)
        session.flush()
        exclude_rest(session, mailing_id, "cancelled")
    with database.transaction() as session:  # the relay is down, or the sender stops
        release(session, sender_id, [each.delivery_id for each in claims])
    with database.transaction() as session:
        assert claim(session, sender_id, limit=9, now=MONDAY + timedelta(hours=1)) == []
        complete(session, now=MONDAY + timedelta(hours=1))
        anonymise(session, now=MONDAY + timedelta(hours=1))
    with database.reading() as reading:
        assert states(reading) == {"excluded": 3}
        assert None not in reading.scalars(select(Delivery.subscriber_id)).all(), (
            "it may be resumed"
        )


def test_an_approval_repeated_while_it_is_withdrawn_is_no_fault_of_ours(
    database: Database, operators: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as session:
        an_issue(session, approved=["en"])
    answers: list[int] = []

    def post(_session: Transaction) -> None:
        wish = {"segments": ["en"]}
        answers.append(operators.post(f"/v1/issues/{WEEK}/approval", json=wish).status_code)

    raised = meet_within(
        database,
        monkeypatch,
        (api, "approve"),
        post,
        lambda: in_one(database, lambda session: withdraw(session, WEEK)),
    )
    assert raised == []
    assert answers == [200]


def test_a_name_that_is_given_at_this_moment_is_refused(database: Database) -> None:
    def both(session: Transaction) -> None:
        create_key(session, "editor", ("all",), today=TODAY)

    assert isinstance(meet(database, both, both), KeyNameTaken)


def test_a_photo_deleted_while_it_is_kept_again_is_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = decode(a_photo())
    with database.transaction() as session:
        photo_id = keep(session, decoded, today=TODAY)[0].id
    raised = meet_within(
        database,
        monkeypatch,
        (photos, "insert_if_absent"),
        lambda session: keep(session, decoded, today=TODAY),
        lambda: in_one(database, lambda session: delete_photo(session, photo_id)),
    )
    assert raised == []
    with database.reading() as reading:
        assert photos.find_photo(reading, photo_id).id == photo_id
