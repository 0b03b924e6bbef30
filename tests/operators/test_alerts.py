"""What operators are told: once for each news, without an address; and who did what."""

from datetime import timedelta

from app.database import Database
from app.operators.alerts import alert, recent_alerts
from app.operators.audit import entries, note
from tests.support.clock import MONDAY


def test_the_same_news_is_told_once(database: Database) -> None:
    for minutes in range(3):
        with database.transaction() as session:
            alert(session, "key", f"Text {minutes}", now=MONDAY + timedelta(minutes=minutes))
    with database.reading() as session:
        assert [each.text for each in recent_alerts(session)] == ["Text 0"]


def test_the_newest_news_comes_first(database: Database) -> None:
    with database.transaction() as session:
        for hours in range(4):
            alert(session, f"{hours}", f"{hours}", now=MONDAY + timedelta(hours=hours))
    with database.reading() as session:
        assert [each.text for each in recent_alerts(session, limit=2)] == ["3", "2"]


def test_no_address_is_told_or_noted(database: Database) -> None:
    with database.transaction() as session:
        alert(session, "k" * 300, "550 <ann@example.org> unknown", now=MONDAY)
        note(session, "editor", "tested", "ann@example.org " * 50, now=MONDAY)
    with database.reading() as session:
        assert "ann" not in recent_alerts(session)[0].text
        assert "ann" not in entries(session)[0].subject


def test_the_audit_is_read_page_by_page(database: Database) -> None:
    with database.transaction() as session:
        for number in range(5):
            note(session, "editor", "did", f"{number}", now=MONDAY)
            session.flush()
    with database.reading() as session:
        first = entries(session, limit=2)
        then = entries(session, before=first[-1].id, limit=9)
    assert [each.subject for each in [*first, *then]] == ["4", "3", "2", "1", "0"]
