"""What shows an attack: counts by day and reason, kept for a while."""

from datetime import timedelta

from app.database import Database
from app.rate_limits.refusals import (
    ADDRESS,
    CLIENT,
    EVERYONE,
    KEPT,
    count_refused,
    forget_refused,
    refused_since,
)
from tests.support.clock import MONDAY

TODAY = MONDAY.date()


def test_refusals_are_counted_by_day_and_reason(database: Database) -> None:
    with database.transaction() as session:
        count_refused(session, CLIENT, today=TODAY)
        count_refused(session, CLIENT, today=TODAY, times=4)
        count_refused(session, ADDRESS, today=TODAY - timedelta(days=1))
    with database.reading() as session:
        assert refused_since(session, TODAY) == {CLIENT: 5, EVERYONE: 0, ADDRESS: 0}
        yesterday = TODAY - timedelta(days=1)
        assert refused_since(session, yesterday) == {CLIENT: 5, EVERYONE: 0, ADDRESS: 1}


def test_old_counts_are_forgotten(database: Database) -> None:
    with database.transaction() as session:
        for days in (0, 90, 91):
            count_refused(session, EVERYONE, today=TODAY - timedelta(days=days))
        forget_refused(session, today=TODAY)
        assert refused_since(session, TODAY - KEPT * 2)[EVERYONE] == 2
