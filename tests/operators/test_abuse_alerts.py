"""Operators are told of an attack, once a day for each kind, in counts."""

from datetime import timedelta

from app.database import Database
from app.operators.abuse_alerts import MANY, alert_of_abuse
from app.operators.alerts import recent_alerts
from app.rate_limits.refusals import ADDRESS, CLIENT, count_refused
from tests.support.clock import MONDAY


def told(database: Database, days: int = 0) -> list[str]:
    with database.transaction() as session:
        alert_of_abuse(session, now=MONDAY + timedelta(days=days))
    with database.reading() as session:
        return sorted(alert.text for alert in recent_alerts(session))


def test_an_attack_is_told_once_a_day(database: Database) -> None:
    with database.transaction() as session:
        count_refused(session, CLIENT, today=MONDAY.date(), times=MANY)
        count_refused(session, ADDRESS, today=MONDAY.date(), times=MANY - 1)
    (text,) = told(database)
    assert f"{MANY} today" in text
    assert told(database) == [text]
    assert told(database, days=1) == [text]
    with database.transaction() as session:
        count_refused(session, ADDRESS, today=MONDAY.date())
    assert len(told(database)) == 2
