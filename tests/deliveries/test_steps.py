"""The steps from the inbox to the queue: each runs, whatever becomes of the others."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from app.addresses.keyring import Keyring
from app.clock import SystemClock
from app.database import Database
from app.deliveries import steps as steps_module
from app.deliveries.ledger.models import Delivery
from app.deliveries.steps import Steps
from app.mailings.calendar import parse_schedule
from app.mailings.launch import launch
from app.mailings.models import Mailing
from app.settings import Settings
from app.witness.keeping import Witness
from tests.deliveries.rows import a_mailing, states
from tests.support.builders import NEWSLETTER, PUBLIC_URL, WEEK, a_subscriber, an_issue
from tests.support.clock import MONDAY


@pytest.fixture
def steps(database: Database, keyring: Keyring, tmp_path: Path) -> Steps:
    settings = Settings({"VESTKA_PUBLIC_URL": PUBLIC_URL, "VESTKA_FROM": "news@example.org"})
    schedules = parse_schedule("off", NEWSLETTER)
    made = Steps(
        database,
        settings,
        NEWSLETTER,
        keyring,
        schedules,
        Witness(tmp_path, b"key"),
        lambda session, ids, now: None,
    )
    made.begin({}, MONDAY)
    return made


def test_what_was_launched_is_enrolled_and_noted(
    steps: Steps, database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    with database.transaction() as session:
        an_issue(session, approved=["en"])
        a_subscriber(session, keyring)
        launch(session, WEEK, NEWSLETTER.segment("en"), by="editor", now=MONDAY)
    assert steps.often(MONDAY) > 0
    with database.reading() as session:
        assert states(session) == {"pending": 1}
    assert f"mailing {WEEK} en launched\n" in (tmp_path / "witness").read_text()


def test_a_step_that_fails_keeps_no_other_from_its_work(
    steps: Steps, database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> int:
        raise ValueError("broken")

    monkeypatch.setattr(steps_module, "admit", fails)
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 1)
        session.scalars(select(Delivery)).one().state = "sent"
        mailing_id = mailing.id
    with pytest.raises(ExceptionGroup, match="steps failed"):
        steps.often(MONDAY)
    with database.reading() as reading:
        assert reading.get_one(Mailing, mailing_id).state == "finished"


def test_who_is_to_be_forgotten_is_whatever_else_fails(
    steps: Steps, database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> int:
        raise ValueError("broken")

    for name in ("expire", "forget_grants", "destroy_spare"):
        monkeypatch.setattr(steps_module, name, fails)
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 1)
        session.scalars(select(Delivery)).one().state = "sent"
        mailing.state, mailing.finished_at = "finished", MONDAY
    with pytest.raises(ExceptionGroup, match="steps failed") as failed:
        steps.seldom(MONDAY)
    assert len(failed.value.exceptions) == 3
    with database.reading() as reading:
        assert reading.scalars(select(Delivery.subscriber_id)).all() == [None]


def test_what_may_be_forgotten_is(steps: Steps, database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 1)
        session.scalars(select(Delivery)).one().state = "sent"
        mailing.state, mailing.finished_at = "finished", MONDAY
    steps.seldom(MONDAY)
    with database.reading() as session:
        assert session.scalars(select(Delivery.subscriber_id)).all() == [None]


def test_steps_can_be_run_again(steps: Steps) -> None:
    assert replace(steps).often(SystemClock().now()) == steps.often(SystemClock().now()) == 0
