"""What operators see of how many tells nothing of one person, whatever they ask, and how often."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from app.addresses.address import EmailAddress
from app.addresses.keyring import Keyring
from app.database import Database
from app.deliveries.hourly_counts import publish_counts
from app.deliveries.ledger.enrolment import take_in_service_messages
from app.operators.published_counts import LEAST, rounded
from app.rate_limits.refusals import ADDRESS, count_refused
from app.subscribers.models import PENDING
from app.subscribers.service_messages import send_manage_link
from app.subscribers.sign_up import drop
from app.subscribers.suppression import suppress_address
from app.subscribers.unsubscription import UNSUBSCRIBED, end
from app.suppressions.reasons import COMPLAINT
from tests.support.builders import NEWSLETTER, a_subscriber
from tests.support.clock import MONDAY, SetClock

ASKED = ("/v1/segments", "/v1/suppressions", "/metrics")


@given(st.integers(0, 10_000_000))
def test_nothing_below_twenty_and_only_fives(count: int) -> None:
    shown = rounded(count)
    assert shown % 5 == 0
    assert shown == 0 if count < LEAST else abs(shown - count) <= 2


def seen(operators: TestClient) -> list[str]:
    return [operators.get(path).text for path in ASKED]


def crowd(database: Database, keyring: Keyring, first: int, count: int) -> None:
    with database.transaction() as session:
        for number in range(first, first + count):
            a_subscriber(session, keyring, f"reader{number}@example.org", segments=["en"])


def confirmed(operators: TestClient) -> int:
    number: int = operators.get("/v1/segments").json()[0]["confirmed"]
    return number


def test_before_the_first_hour_nothing_is_known(
    operators: TestClient, database: Database, keyring: Keyring
) -> None:
    crowd(database, keyring, 0, 30)
    assert [(row["segment"], row["confirmed"]) for row in operators.get("/v1/segments").json()] == [
        ("en", 0),
        ("be-ru", 0),
    ]
    assert set(operators.get("/v1/suppressions").json().values()) == {0}


def test_no_act_of_one_person_shows_within_the_hour(
    operators: TestClient, database: Database, keyring: Keyring, clock: SetClock
) -> None:
    """Sign-up, confirmation, manage link, leaving, complaint, a message that is withheld."""
    crowd(database, keyring, 0, 44)
    publish_counts(database, NEWSLETTER, now=clock.now())
    before = seen(operators)
    assert 'vestka_subscriptions{segment="en",state="confirmed"} 45.0' in before[2].splitlines()
    today = clock.now().date()
    with database.transaction() as session:
        ann = EmailAddress.parse("ann@example.org")
        drop(
            session,
            keyring.public(),
            ann,
            segments=["en"],
            language="en",
            consent="1",
            today=today,
        )
        bob = a_subscriber(session, keyring, "bob@example.org", state=PENDING)
        eve = a_subscriber(session, keyring, "eve@example.org", segments=["en"])
        send_manage_link(session, keyring, eve.id, "en", now=clock.now())
        take_in_service_messages(session, now=clock.now())
        end(session, bob.id, None, UNSUBSCRIBED, today=today)
        suppress_address(session, keyring, ann, COMPLAINT, today=today)
        count_refused(session, ADDRESS, today=today)
    for minutes in (0, 1, 58):
        clock.go_on(seconds=60.0 * minutes)
        if clock.now() < MONDAY.replace(minute=0) + timedelta(hours=1):
            publish_counts(database, NEWSLETTER, now=clock.now())
        assert seen(operators) == before


def test_counts_change_at_the_hour_and_never_go_back(
    operators: TestClient, database: Database, keyring: Keyring
) -> None:
    hour = MONDAY.replace(minute=0, second=0, microsecond=0)
    crowd(database, keyring, 0, 22)
    assert publish_counts(database, NEWSLETTER, now=hour + timedelta(minutes=10))
    assert confirmed(operators) == 20
    crowd(database, keyring, 22, 3)
    # Not by another moment of the hour, a restart, or a clock that goes back.
    for later in (timedelta(minutes=59, seconds=59), timedelta(0), timedelta(hours=-3)):
        assert not publish_counts(database, NEWSLETTER, now=hour + later)
        assert confirmed(operators) == 20
    assert publish_counts(database, NEWSLETTER, now=hour + timedelta(hours=1))
    assert confirmed(operators) == 25


@pytest.mark.parametrize("count", [0, 1, 19])
def test_few_are_as_good_as_none(
    operators: TestClient, database: Database, keyring: Keyring, count: int
) -> None:
    crowd(database, keyring, 0, count)
    publish_counts(database, NEWSLETTER, now=MONDAY)
    (english, _) = operators.get("/v1/segments").json()
    assert (english["confirmed"], english["pending"]) == (0, 0)
    assert not any(english["languages"].values())
