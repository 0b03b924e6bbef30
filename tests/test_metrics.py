"""Figures for a monitor."""

from datetime import timedelta

from fastapi.testclient import TestClient

from app.allowances.refusals import ADDRESS, CLIENT, count_refused
from app.database import Database
from tests.support.clock import MONDAY


def test_an_attack_shows_in_counts_of_the_day(operators: TestClient, database: Database) -> None:
    with database.transaction() as session:
        count_refused(session, CLIENT, today=MONDAY.date(), times=70)
        count_refused(session, ADDRESS, today=MONDAY.date() - timedelta(days=1), times=9)
    figures = operators.get("/metrics").text.splitlines()
    assert 'vestka_refused_today{reason="client"} 70.0' in figures
    assert 'vestka_refused_today{reason="everyone"} 0.0' in figures
    assert 'vestka_refused_today{reason="address"} 0.0' in figures
