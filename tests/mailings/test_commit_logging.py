"""What the log says of mailings: each turn once it is kept, and nobody's name."""

import logging
from contextlib import suppress

import pytest

from app.database import Database
from app.mailings.control import cancel, pause, resume
from app.mailings.launch import launch
from tests.support.builders import NEWSLETTER, WEEK, an_issue
from tests.support.clock import MONDAY


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="mailings")
    return caplog


def turns(said: pytest.LogCaptureFixture) -> list[str]:
    found = []
    for record in said.records:
        if record.name == "mailings":
            assert isinstance(record.msg, dict)
            assert set(record.msg) >= {"mailing", "week", "segment"}
            assert "editor" not in str(record.msg)
            found.append(str(record.msg["event"]))
    said.clear()
    return found


def launched(database: Database) -> int:
    with database.transaction() as session:
        an_issue(session, approved=("en",))
        return launch(session, WEEK, NEWSLETTER.segment("en"), by="editor", now=MONDAY)[0].id


def test_each_turn_is_said_once(database: Database, said: pytest.LogCaptureFixture) -> None:
    mailing_id = launched(database)
    assert turns(said) == ["mailing launched"]
    for act, turn in ((pause, "paused"), (resume, "resumed")):
        for _ in range(2):
            with database.transaction() as session:
                act(session, mailing_id)
        assert turns(said) == [f"mailing {turn}"]
    with database.transaction() as session:
        cancel(session, mailing_id, now=MONDAY)
        assert turns(said) == [], "not before it is kept"
    assert turns(said) == ["mailing cancelled"]


def test_a_turn_that_is_not_kept_is_not_said(
    database: Database, said: pytest.LogCaptureFixture
) -> None:
    mailing_id = launched(database)
    turns(said)
    with suppress(RuntimeError), database.transaction() as session:
        pause(session, mailing_id)
        raise RuntimeError
    assert turns(said) == []
