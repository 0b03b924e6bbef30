"""The notes of launches: complete, private, never written twice."""

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import update

from app.database import Database
from app.mailings.launch import launch
from app.mailings.models import Mailing
from app.mailings.notes import LaunchNotes
from tests.support.builders import NEWSLETTER, WEEK, an_issue
from tests.support.clock import MONDAY


def launch_one(database: Database) -> None:
    with database.transaction() as session:
        an_issue(session, approved=("en",))
        launch(session, WEEK, NEWSLETTER.segment("en"), by="editor", now=MONDAY)


def keep_up(database: Database, notes: LaunchNotes) -> None:
    with database.reading() as session:
        notes.keep_up(session)


def test_without_launches_there_is_no_file(database: Database, tmp_path: Path) -> None:
    keep_up(database, LaunchNotes(tmp_path))
    assert list(tmp_path.glob("launches")) == []


def test_a_launch_is_noted_once(database: Database, tmp_path: Path) -> None:
    launch_one(database)
    notes = LaunchNotes(tmp_path)
    keep_up(database, notes)
    keep_up(database, notes)
    keep_up(database, LaunchNotes(tmp_path))
    assert (tmp_path / "launches").read_text() == "2025-W04 en\n"
    assert (tmp_path / "launches").stat().st_mode & 0o777 == 0o600


def test_what_was_noted_stays(database: Database, tmp_path: Path) -> None:
    (tmp_path / "launches").write_text("2025-W03 en\n")
    launch_one(database)
    keep_up(database, LaunchNotes(tmp_path))
    notes = LaunchNotes(tmp_path)
    assert notes.has(WEEK, "en")
    assert notes.has(WEEK.previous(), "en")


def test_a_recalled_launch_is_noted_and_may_be_repeated(database: Database, tmp_path: Path) -> None:
    def recall(launched_at: datetime) -> None:
        with database.transaction() as session:
            session.execute(update(Mailing).values(state="recalled", launched_at=launched_at))

    launch_one(database)
    notes = LaunchNotes(tmp_path)
    keep_up(database, notes)
    recall(MONDAY)
    keep_up(database, notes)
    keep_up(database, notes)
    assert not notes.has(WEEK, "en")
    assert not LaunchNotes(tmp_path).has(WEEK, "en")
    with database.transaction() as session:
        later = MONDAY + timedelta(days=1)
        launch(session, WEEK, NEWSLETTER.segment("en"), by="editor", now=later)
    keep_up(database, notes)
    assert notes.has(WEEK, "en")
    recall(MONDAY)  # as a backup of then knows it
    restored = LaunchNotes(tmp_path)
    keep_up(database, restored)
    assert restored.has(WEEK, "en"), "the second launch was not recalled"
