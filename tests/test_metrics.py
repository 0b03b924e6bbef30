"""Figures for a monitor."""

from datetime import timedelta

from fastapi.testclient import TestClient
from sqlalchemy import select, update

from app.addresses.keyring import Keyring
from app.database import Database
from app.deliveries.destinations.coordination import ThrottleRequest, exchange
from app.deliveries.ledger.models import Delivery
from app.mail.limits import NO_LIMITS
from app.mailings.control import cancel
from app.rate_limits.refusals import ADDRESS, CLIENT, count_refused
from tests.deliveries.rows import a_mailing
from tests.support.builders import WEEK
from tests.support.clock import MONDAY, SetClock


def test_an_attack_shows_in_counts_of_the_day(operators: TestClient, database: Database) -> None:
    with database.transaction() as session:
        count_refused(session, CLIENT, today=MONDAY.date(), times=70)
        count_refused(session, ADDRESS, today=MONDAY.date() - timedelta(days=1), times=9)
    figures = operators.get("/metrics").text.splitlines()
    assert 'vestka_refused_today{reason="client"} 70.0' in figures
    assert 'vestka_refused_today{reason="everyone"} 0.0' in figures
    assert 'vestka_refused_today{reason="address"} 0.0' in figures


def test_slowed_and_blocked_domains_are_counted_without_a_name(
    operators: TestClient, database: Database
) -> None:
    heard = [
        ThrottleRequest("one", NO_LIMITS, slower=60.0),
        ThrottleRequest("two", NO_LIMITS, slower=60.0),
        ThrottleRequest("three", NO_LIMITS, away=True),
        ThrottleRequest("four", NO_LIMITS, taken=True),
    ]
    with database.transaction() as session:
        exchange(session, heard, 1, now=MONDAY)
    figures = operators.get("/metrics").text.splitlines()
    assert 'vestka_domains{standing="slowed"} 2.0' in figures
    assert 'vestka_domains{standing="blocked"} 1.0' in figures


def test_a_mailing_on_its_way_has_its_counts_its_rate_and_the_time_left(
    operators: TestClient, database: Database, keyring: Keyring, clock: SetClock
) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 10)
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_(select(Delivery.id).order_by(Delivery.id).limit(4)))
            .values(state="sent")
        )
    whose = f'mailing="{mailing.id}",segment="en",week="{WEEK}"'
    clock.go_on(seconds=2)
    figures = operators.get("/metrics").text.splitlines()
    counted = f'mailing="{mailing.id}",segment="en",state="sent",week="{WEEK}"'
    assert f"vestka_mailing_messages{{{counted}}} 4.0" in figures
    assert f"vestka_mailing_rate{{{whose}}} 2.0" in figures
    assert f"vestka_mailing_seconds_left{{{whose}}} 3.0" in figures
    with database.transaction() as session:
        cancel(session, mailing.id, now=clock.now())
    assert "vestka_mailing_rate{" not in operators.get("/metrics").text, "it has ended"
