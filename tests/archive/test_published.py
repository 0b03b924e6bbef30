"""What is in the archive: from launch on, and only what set out."""

from datetime import timedelta

import pytest

from app.archive.published import NotInArchive, launch_of, launches
from app.database import Database, Transaction
from app.deliveries.ledger.completion import aggregate
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.states import CLAIMED, EXCLUDED, FAILED, SENT, UNCERTAIN
from app.issues.week import Week
from app.mailings.control import cancel, pause
from app.mailings.models import Mailing
from tests.archive.rows import approved, sent, stored
from tests.support.clock import MONDAY

WEEK = Week.parse("2025-W04")


def a_message(session: Transaction, mailing: Mailing, state: str) -> None:
    later = MONDAY + timedelta(hours=48)
    row = Delivery(
        kind="issue", mailing_id=mailing.id, state=state, due_at=MONDAY, expires_at=later
    )
    session.add(row)
    session.flush()


def weeks(session: Transaction, segment: str | None = None) -> list[str]:
    return [str(each.week) for each in launches(session, segment)]


def test_drafts_and_approved_issues_are_not_shown(database: Database) -> None:
    with database.transaction() as session:
        stored(session, "2025-W03")
        approved(session, stored(session), "en")
        assert launches(session) == []
        with pytest.raises(NotInArchive):
            launch_of(session, "en", WEEK)


def test_an_issue_is_shown_from_launch_on_and_where_it_was_sent(database: Database) -> None:
    with database.transaction() as session:
        sent(session, segments=("en",))
        assert weeks(session, "en") == ["2025-W04"]
        assert weeks(session, "be-ru") == []
        assert launch_of(session, "en", WEEK).launched_at == MONDAY
        with pytest.raises(NotInArchive):
            launch_of(session, "be-ru", WEEK)


def test_newest_first_and_between_two_weeks(database: Database) -> None:
    with database.transaction() as session:
        for week in ("2024-W52", "2025-W04", "2025-W01"):
            sent(session, week, segments=("en",))
        assert weeks(session, "en") == ["2025-W04", "2025-W01", "2024-W52"]
        some = launches(session, first=Week.parse("2025-W01"), last=Week.parse("2025-W03"))
        assert [str(each.week) for each in some] == ["2025-W01"]


def test_a_paused_issue_stays(database: Database) -> None:
    with database.transaction() as session:
        (mailing,) = sent(session, segments=("en",))
        pause(session, mailing.id)
        assert weeks(session) == ["2025-W04"]


@pytest.mark.parametrize(
    ("state", "shown"),
    [(SENT, True), (UNCERTAIN, True), (CLAIMED, True), (FAILED, False), (EXCLUDED, False)],
)
def test_a_cancelled_issue_is_shown_if_somebody_may_have_it(
    database: Database,
    state: str,
    shown: bool,  # noqa: FBT001 - a case, not a switch
) -> None:
    with database.transaction() as session:
        (mailing,) = sent(session, segments=("en",))
        a_message(session, mailing, state)
        cancel(session, mailing.id, now=MONDAY)
        session.flush()
        assert bool(launches(session)) is shown
        assert aggregate(session, timedelta(days=1), now=MONDAY + timedelta(days=2)) == 1
        session.flush()
        assert bool(launches(session)) is shown, "counts are as good as rows"


def test_an_issue_cancelled_before_any_message_was_never_sent(database: Database) -> None:
    with database.transaction() as session:
        (mailing,) = sent(session, segments=("en",))
        cancel(session, mailing.id, now=MONDAY)
        session.flush()
        assert launches(session) == []
