"""How fast a mailing goes, and how long it will take."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import event

from app.addresses.keyring import Keyring
from app.database import Database
from app.deliveries.ledger.completion import aggregate
from app.deliveries.ledger.progress import Balance, as_record, pace, unbalanced
from app.issues.week import Week
from app.mailings.models import Mailing
from tests.deliveries.rows import a_mailing
from tests.support.clock import MONDAY


def books(**states: int) -> Balance:
    made = Balance(sum(states.values()))
    for state, count in states.items():
        made.add(state, None, count)
    return made


@pytest.mark.parametrize(
    ("states", "seconds", "expected"),
    [
        ({"pending": 100}, 10, (None, None)),
        ({"sent": 40, "failed": 10, "pending": 100}, 10, (5.0, 20)),
        ({"sent": 50, "deferred": 1}, 10, (5.0, 0)),
        ({"sent": 50, "uncertain": 10}, 10, (6.0, None)),
        ({"sent": 50}, 0, (None, None)),
    ],
)
def test_the_rate_counts_what_is_dealt_with(
    states: Mapping[str, int], seconds: int, expected: tuple[float | None, int | None]
) -> None:
    mailing = Mailing(launched_at=MONDAY, finished_at=None)
    assert pace(books(**states), mailing, MONDAY + timedelta(seconds=seconds)) == expected


def test_a_mailing_that_is_being_enrolled_has_no_messages_yet(
    database: Database, keyring: Keyring
) -> None:
    """Who asks for it while it is enrolled may have read the mailing before, its messages after."""
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 2)
        session.expunge(mailing)
        mailing.audience, mailing.state = None, "enrolling"
        seen = as_record(session, mailing, now=MONDAY)
    assert (seen["audience"], seen["pending"]) == (None, 0)


@pytest.mark.parametrize("weeks", [1, 4])
def test_the_books_of_any_number_of_mailings_are_three_statements(
    weeks: int, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailings = [
            a_mailing(session, keyring, 2, week=Week.parse(f"2025-W0{n}"))
            for n in range(1, weeks + 1)
        ]
        folded = a_mailing(session, keyring, 2, week=Week.parse("2025-W09"))
        folded.state, folded.finished_at = "finished", MONDAY
        session.flush()
        aggregate(session, timedelta(days=1), now=MONDAY + timedelta(days=2))
        mailings[-1].audience = 99
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *each: asked.append(each[2]))
    with database.reading() as session:
        assert unbalanced(session) == [mailings[-1].id]
    # The mailings themselves, the messages of those that have rows, and those that are folded.
    assert len([each for each in asked if each.startswith("SELECT")]) == 3


def test_a_finished_mailing_keeps_its_rate() -> None:
    mailing = Mailing(launched_at=MONDAY, finished_at=MONDAY + timedelta(seconds=10))
    assert pace(books(sent=50), mailing, MONDAY + timedelta(days=9)) == (5.0, None)
