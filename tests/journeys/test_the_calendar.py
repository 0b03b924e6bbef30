"""The week's issue goes by itself when its slot comes: once, and not again after a restart."""

import pytest

from app.clock import SystemClock
from app.issues.week import Week
from tests.journeys.conftest import opened
from tests.support.newsletter import Newsletter, an_issue
from tests.support.service import eventually

# Every minute: the next slot is near, and every later one must find that the issue is sent.
SCHEDULE = "* * * * *@Europe/Vilnius"


def launched(newsletter: Newsletter) -> list[tuple[str, str, str]]:
    rows = newsletter.operator.sees("/v1/mailings")
    return sorted((row["segment"], row["launched_by"], row["state"]) for row in rows)


BOTH = [("be-ru", "calendar", "finished"), ("en", "calendar", "finished")]


def test_an_approved_issue_goes_by_itself_once(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = {"VESTKA_SCHEDULE": SCHEDULE}
    with (
        opened("sqlite", request, tmp_path_factory, settings) as one,
        opened("postgresql", request, tmp_path_factory, settings) as other,
    ):
        for newsletter in (one, other):  # both wait for the same slot
            prepare(newsletter)
        for newsletter in (one, other):
            goes_once(newsletter)


def prepare(newsletter: Newsletter) -> None:
    week = str(Week.of(SystemClock().now().date()))
    newsletter.reader.is_confirmed("ann@example.org", ["en", "be-ru"], "ru")
    assert newsletter.operator.stores(an_issue(week, "en", "be", "ru")).status == 201
    assert newsletter.operator.approves(week).status == 200


def goes_once(newsletter: Newsletter) -> None:
    eventually(lambda: launched(newsletter) == BOTH, "the slot and its mailings", within=100)
    messages = newsletter.issues_to("ann@example.org")
    assert sorted(message.language for message in messages) == ["en", "ru"]
    newsletter.restarts()
    newsletter.settles()
    assert launched(newsletter) == BOTH
    assert len(newsletter.issues_to("ann@example.org")) == 2
