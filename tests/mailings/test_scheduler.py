"""The calendar's step: a slot is decided once, and an issue goes at most once."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select, update

from app.addresses.keyring import Keyring
from app.database import Database
from app.issues.approval import approved_segments
from app.issues.week import Week
from app.mailings.calendar import parse_schedule
from app.mailings.launch import LaunchedBefore, launch, launch_on_request
from app.mailings.models import KnownLaunch, Mailing, Slot
from app.mailings.scheduler import ALREADY, EMPTY, LATE, LAUNCHED, NOTHING, launch_due
from app.mailings.states import RECALLED
from app.operators.models import Alert
from app.subscribers.models import Subscription
from tests.support.builders import NEWSLETTER, WEEK, a_subscriber, an_issue

TUESDAY = datetime(2025, 1, 28, 7, tzinfo=UTC)  # nine in Vilnius, of the week after 2025-W04
MADE = TUESDAY - timedelta(days=1)
GRACE = timedelta(hours=12)
ALL = ("en", "be-ru")

Step = Callable[[datetime], int]


@pytest.fixture(autouse=True)
def readers(database: Database, keyring: Keyring) -> None:
    """A reader of both segments: without one nothing is launched."""
    with database.transaction() as session:
        a_subscriber(session, keyring, segments=ALL)


@pytest.fixture
def step(database: Database) -> Step:
    """The sender's step on a database that was made the day before the slot."""
    run = stepper(database)
    run(MADE)
    return run


def forgot(database: Database, *segments: str) -> None:
    """A witness told this restored database what was launched: seven got it."""
    with database.transaction() as session:
        for segment in segments:
            session.add(KnownLaunch(week=str(WEEK), segment=segment, sent=7))


def stepper(database: Database, schedule: str = "0 9 * * TUE@Europe/Vilnius") -> Step:
    schedules = parse_schedule(schedule, NEWSLETTER)

    def run(now: datetime) -> int:
        with database.transaction() as session:
            return launch_due(session, NEWSLETTER, schedules, grace=GRACE, now=now)

    return run


def store(database: Database, week: Week = WEEK, approved: Iterable[str] = ALL) -> None:
    with database.transaction() as session:
        an_issue(session, week, approved=tuple(approved))


def launched(database: Database) -> set[tuple[str, str]]:
    with database.reading() as session:
        return {(row.week, row.segment) for row in session.scalars(select(Mailing))}


def decisions(database: Database) -> set[tuple[str, str]]:
    with database.reading() as session:
        return {(row.segment, row.decision) for row in session.scalars(select(Slot))}


def alerts(database: Database) -> list[str]:
    with database.reading() as session:
        return sorted(session.scalars(select(Alert.text)))


def test_when_the_slot_comes_the_issue_of_the_week_before_goes(
    database: Database, step: Step
) -> None:
    store(database)
    assert step(TUESDAY - timedelta(seconds=1)) == 0
    assert step(TUESDAY) == 2
    assert launched(database) == {("2025-W04", "en"), ("2025-W04", "be-ru")}
    assert decisions(database) == {("en", LAUNCHED), ("be-ru", LAUNCHED)}
    assert alerts(database) == []


def test_the_issue_of_the_slot_s_own_week_goes_first(database: Database, step: Step) -> None:
    store(database)
    store(database, Week.parse("2025-W05"))
    step(TUESDAY)
    assert launched(database) == {("2025-W05", "en"), ("2025-W05", "be-ru")}


def test_an_older_issue_does_not_go(database: Database, step: Step) -> None:
    store(database, Week.parse("2025-W03"))
    assert step(TUESDAY) == 0
    assert launched(database) == set()


def test_a_slot_is_decided_once(database: Database, step: Step) -> None:
    assert step(TUESDAY) == 0
    store(database)  # approved a minute too late: it waits for an operator or the next slot
    assert step(TUESDAY + timedelta(minutes=1)) == 0
    assert decisions(database) == {("en", NOTHING), ("be-ru", NOTHING)}
    assert len(alerts(database)) == 2


def test_a_launched_issue_does_not_go_at_the_next_slot(database: Database, step: Step) -> None:
    store(database, Week.parse("2025-W05"))
    assert step(TUESDAY) == 2
    assert step(TUESDAY + timedelta(days=7)) == 0


def test_two_senders_at_once_decide_a_slot_once(database: Database) -> None:
    store(database)
    senders = [stepper(database) for _ in range(4)]
    senders[0](MADE)
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda run: run(TUESDAY), senders))
    assert sum(counts) == 2
    assert len(launched(database)) == 2


def test_two_senders_at_once_tell_the_operators_once(database: Database) -> None:
    senders = [stepper(database) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda run: run(MADE), senders))
        list(pool.map(lambda run: run(TUESDAY), senders))
    assert len(alerts(database)) == 2


@pytest.mark.parametrize(("late", "goes"), [(GRACE, 2), (GRACE + timedelta(seconds=1), 0)])
def test_a_missed_slot_is_made_up_for_within_the_grace_time(
    database: Database, step: Step, late: timedelta, goes: int
) -> None:
    store(database)
    assert step(TUESDAY + late) == goes


def test_what_is_too_late_waits_and_the_operators_are_told(database: Database, step: Step) -> None:
    store(database)
    step(TUESDAY + timedelta(days=1))
    assert decisions(database) == {("en", LATE), ("be-ru", LATE)}
    assert len(alerts(database)) == 2
    assert all("waits for an operator" in text for text in alerts(database))
    with database.transaction() as session:
        _, new = launch(
            session, WEEK, NEWSLETTER.segment("en"), by="editor", now=TUESDAY + timedelta(days=1)
        )
    assert new


def test_slots_before_the_database_was_made_do_not_count(database: Database) -> None:
    store(database)
    run = stepper(database)
    assert run(TUESDAY + timedelta(minutes=1)) == 0
    assert decisions(database) == set()
    assert alerts(database) == []


def test_an_operator_who_was_faster_raises_no_alarm(database: Database, step: Step) -> None:
    store(database)
    with database.transaction() as session:
        for segment in NEWSLETTER.segments:
            launch(session, WEEK, segment, by="editor", now=TUESDAY - timedelta(hours=2))
    assert step(TUESDAY) == 0
    assert decisions(database) == {("en", ALREADY), ("be-ru", ALREADY)}
    assert alerts(database) == []


def test_last_week_s_message_is_no_excuse_for_this_week(database: Database, step: Step) -> None:
    store(database)
    step(TUESDAY)
    step(TUESDAY + timedelta(days=7))
    assert len(alerts(database)) == 2


def test_only_the_approved_segment_goes(database: Database, step: Step) -> None:
    store(database, approved=["en"])
    assert step(TUESDAY) == 1
    assert launched(database) == {("2025-W04", "en")}
    assert decisions(database) == {("en", LAUNCHED), ("be-ru", NOTHING)}


def test_a_draft_never_goes(database: Database, step: Step) -> None:
    store(database, approved=[])
    assert step(TUESDAY) == 0


def test_each_segment_has_its_own_slot(database: Database) -> None:
    store(database)
    schedule = "en=0 9 * * TUE@UTC;be-ru=0 9 * * WED@UTC"
    run = stepper(database, schedule)
    run(MADE)
    run(TUESDAY + timedelta(hours=3))
    assert launched(database) == {("2025-W04", "en")}
    run(TUESDAY + timedelta(hours=27))
    assert launched(database) == {("2025-W04", "en"), ("2025-W04", "be-ru")}


def test_off_launches_nothing(database: Database) -> None:
    store(database)
    run = stepper(database, "off")
    run(MADE)
    assert run(TUESDAY) == 0
    assert decisions(database) == set()


def test_a_database_from_a_backup_does_not_send_again(database: Database) -> None:
    forgot(database, "en", "be-ru")
    store(database)
    run = stepper(database)
    run(MADE)
    assert run(TUESDAY) == 0
    assert launched(database) == set()
    assert sum("backup" in text for text in alerts(database)) == 2
    assert len(alerts(database)) == 2, "and not that there was no issue"


def test_an_older_issue_does_not_follow_a_newer_one(database: Database, step: Step) -> None:
    store(database)
    store(database, WEEK.previous())
    with database.transaction() as session:
        for segment in NEWSLETTER.segments:
            launch(session, WEEK, segment, by="editor", now=TUESDAY - timedelta(hours=1))
    assert step(TUESDAY) == 0
    assert {week for week, *_ in launched(database)} == {str(WEEK)}


def test_last_week_s_issue_does_not_follow_one_of_the_slot_s_own_week(
    database: Database, step: Step
) -> None:
    newer = Week.parse("2025-W05")
    store(database, newer)
    store(database)
    with database.transaction() as session:
        for segment in NEWSLETTER.segments:
            launch(session, newer, segment, by="editor", now=TUESDAY - timedelta(hours=1))
    assert step(TUESDAY) == 0
    assert {week for week, *_ in launched(database)} == {str(newer)}


def test_an_operator_may_send_again_what_a_backup_forgot(database: Database) -> None:
    forgot(database, "en")
    store(database)
    stepper(database)(MADE)
    with database.transaction() as session:
        en = NEWSLETTER.segment("en")
        with pytest.raises(LaunchedBefore) as refused:
            launch_on_request(session, WEEK, en, by="editor", now=TUESDAY)
        assert refused.value.facts == {"twice": 7}
        _, new = launch_on_request(session, WEEK, en, by="editor", again=True, now=TUESDAY)
        _, newer = launch_on_request(session, WEEK, en, by="editor", now=TUESDAY)
    assert (new, newer) == (True, False)


def test_a_segment_without_readers_spends_nothing(database: Database, step: Step) -> None:
    with database.transaction() as session:
        session.execute(delete(Subscription).where(Subscription.segment == "en"))
    store(database)
    assert step(TUESDAY) == 1
    assert launched(database) == {("2025-W04", "be-ru")}
    assert decisions(database) == {("en", EMPTY), ("be-ru", LAUNCHED)}
    (told,) = alerts(database)
    assert "EN came (2025-01-28 07:00 UTC) and the segment has no confirmed subscriber" in told
    with database.transaction() as session:
        assert approved_segments(session, WEEK) == ("be-ru", "en"), "an operator may launch it"


def test_an_issue_that_was_recalled_goes_at_a_later_slot(database: Database, step: Step) -> None:
    store(database)
    assert step(TUESDAY) == 2
    with database.transaction() as session:
        session.execute(update(Mailing).values(state=RECALLED))
    assert step(TUESDAY + timedelta(hours=1)) == 0, "a slot is decided once"
    again = stepper(database, "0 9 * * WED@Europe/Vilnius")
    assert again(TUESDAY + timedelta(days=1)) == 2
