"""A database comes back from a backup: nobody gets a second copy, and who left stays away.

Whatever the backup has forgotten, the witness beside the keys knows.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.journeys.conftest import database
from tests.support.backups import Backup
from tests.support.bounces import a_complaint
from tests.support.newsletter import Newsletter, an_issue
from tests.support.service import Place, Process, eventually
from tests.support.smtpd import Misdeed, ScriptedServer

CROWD = [f"reader{number:02}@example.org" for number in range(16)]
LINES = 2


@pytest.fixture(params=["sqlite", "postgresql"])
def story(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["Story"]:
    """A running newsletter with readers of both segments, and a relay that takes its time."""
    with database(request.param, tmp_path, request) as url, ScriptedServer() as relay:
        settings = {
            "VESTKA_RELAYS": f"smtp+insecure://127.0.0.1:{relay.port}",
            "VESTKA_RELAY_CONNECTIONS": str(LINES),
        }
        with running(Story(Newsletter(Place(tmp_path, url, settings), relay), tmp_path)) as story:
            story.newsletter.reader.are_confirmed(dict.fromkeys(CROWD, (["en", "be-ru"], "be")))
            yield story


class Story:
    """The newsletter, its process, and its backups."""

    def __init__(self, newsletter: Newsletter, folder: Path) -> None:
        self.newsletter = newsletter
        self.folder = folder
        self.process: Process | None = None

    def starts(self) -> None:
        self.process = Process(self.newsletter.place)
        self.process.ready()

    def stops(self, *, by_a_kill: bool = False) -> None:
        process, self.process = self.process, None
        if process is not None and by_a_kill:
            process.kill()
        elif process is not None:
            assert process.stop() == 0, process.log.read_text()

    def backs_up(self) -> Backup:
        url = self.newsletter.place.environment["VESTKA_DATABASE_URL"]
        return Backup(url, self.folder / "backup")

    def alerts(self) -> list[str]:
        told = self.newsletter.operator.sees("/v1/alerts")
        return [each["text"] for each in told]

    def waits_for_alert(self) -> str:
        def look() -> list[str]:
            return [each for each in self.alerts() if "restored from a backup" in each]

        return eventually(look, "the alert of the restore")[0]


@contextmanager
def running(story: Story) -> Iterator[Story]:
    """Run the service until the story is told."""
    story.starts()
    try:
        yield story
    finally:
        if story.process is not None:
            story.process.kill()


def issues_in_all(story: Story) -> int:
    return sum(len(story.newsletter.issues_to(address)) for address in CROWD)


def per_reader(story: Story) -> list[int]:
    return [len(story.newsletter.issues_to(address)) for address in CROWD]


@pytest.mark.parametrize("by_a_kill", [False, True], ids=["stopped", "killed"])
def test_put_back_in_mid_mailing_it_waits_and_nobody_gets_a_second_copy(
    story: Story, *, by_a_kill: bool
) -> None:
    operator = story.newsletter.operator
    story.newsletter.relay.on(Misdeed("DOT", delay=0.2))
    mailing = operator.publishes(an_issue("2024-W05", "en"), "en")
    eventually(lambda: issues_in_all(story) >= 4, "the first messages")
    backup = story.backs_up()
    eventually(lambda: issues_in_all(story) >= 10, "more messages")
    if not by_a_kill:
        operator.waits_for_end(mailing)
    story.stops(by_a_kill=by_a_kill)
    before = issues_in_all(story)
    backup.put_back()

    story.starts()
    told = story.waits_for_alert()
    assert f"Mailing {mailing} " in told
    seen = operator.looks_at(mailing)
    assert seen["state"] == "paused"
    assert issues_in_all(story) == before, "nothing goes by itself"
    assert seen["sent"] + seen["uncertain"] >= before - LINES
    assert "are known to have gone since the backup" in told

    assert operator.acts(mailing, "resume").status == 200
    end = operator.waits(
        mailing,
        lambda look: look["state"] == "finished",
        "the end",
    )
    assert max(per_reader(story)) == 1, "no second copy"
    assert end["uncertain"] <= LINES
    assert sum(per_reader(story)) >= len(CROWD) - end["uncertain"]


def test_put_back_to_before_the_launch_the_issue_does_not_go_again_unasked(story: Story) -> None:
    operator = story.newsletter.operator
    issue = an_issue("2024-W05", "en")
    assert operator.stores(issue).status in (200, 201)
    assert operator.approves("2024-W05", "en").status == 200
    backup = story.backs_up()
    assert operator.launches("2024-W05", "en").status == 201
    eventually(lambda: issues_in_all(story) == len(CROWD), "all messages")
    story.stops()
    backup.put_back()

    story.starts()
    assert "2024-W05 to en" in story.waits_for_alert()
    refused = operator.launches("2024-W05", "en")
    assert refused.status == 409
    assert refused.json()["twice"] == len(CROWD)
    command = story.newsletter.place.command("mailing", "start", "2024-W05", "en", "--yes")
    assert command.returncode != 0
    assert f"Up to {len(CROWD)} readers would get it twice" in command.stderr
    assert operator.sees("/v1/mailings") == []
    assert set(per_reader(story)) == {1}

    wish = {"week": "2024-W05", "segment": "en", "again": True}
    again = operator.calls("POST", "/v1/mailings", wish)
    assert again.status == 201, again.text
    end = operator.waits_for_end(again.json()["id"])
    assert end["sent"] == len(CROWD), "asked for, it goes to everybody"


@pytest.mark.parametrize("by_a_kill", [False, True], ids=["stopped", "killed"])
def test_whoever_left_after_the_backup_stays_away(story: Story, *, by_a_kill: bool) -> None:
    newsletter, operator = story.newsletter, story.newsletter.operator
    first = operator.publishes(an_issue("2024-W05", "en"), "en")
    operator.waits_for_end(first)
    backup = story.backs_up()
    one_segment, whole, complains, never = CROWD[:4]
    (message,) = newsletter.issues_to(one_segment)
    assert newsletter.reader.unsubscribes_by_one_click(message).status == 200
    page = newsletter.issues_to(whole)[0]
    assert newsletter.reader.unsubscribes_by_one_click(page).status == 200
    assert newsletter.reader.asks_for_manage_link(whole).status == 202
    link = newsletter.reader.gets_message(whole, "manage").link("manage")
    erased = newsletter.reader.posts_form(link, [("act", "leave")])
    assert erased.status < 400, erased.text
    (seen,) = newsletter.issues_to(complains)
    raw = a_complaint("feedback@example.org", seen.raw, seen.received.sender)
    came = operator.calls("POST", "/v1/bounces", raw, headers={"Content-Type": "message/rfc822"})
    assert came.status < 300, came.text
    wished = operator.calls("POST", "/v1/suppressions", {"email": never})
    assert wished.status == 202
    if by_a_kill:
        eventually(
            lambda: (
                operator.suppressed()["operator"] == 1 and operator.suppressed()["complaint"] == 1
            ),
            "the suppressions",
        )
        newsletter.settles()
    story.stops(by_a_kill=by_a_kill)
    before = {address: len(newsletter.issues_to(address)) for address in CROWD}
    backup.put_back()

    story.starts()
    story.waits_for_alert()
    for week, segment, away in (
        ("2024-W06", "en", {one_segment, whole, complains, never}),
        ("2024-W07", "be-ru", {complains, never}),
    ):
        mailing = operator.publishes(an_issue(week, "en", "be"), segment)
        operator.waits_for_end(mailing)
        for address in CROWD:
            after = len(newsletter.issues_to(address))
            assert (after == before[address]) == (address in away), (week, CROWD.index(address))
            before[address] = after
    known = {address: len(newsletter.inbox_of(address)) for address in (complains, never)}
    for address in (complains, never):
        assert newsletter.reader.subscribes(address, ["en"]).status == 202
    # Who complained may take it back by a confirmation of their own.
    newsletter.reader.gets_message(complains, "confirm", after=known[complains])
    newsletter.settles()
    assert len(newsletter.inbox_of(never)) == known[never]


def test_put_back_under_the_running_service_the_mailing_stops(story: Story) -> None:
    newsletter, operator = story.newsletter, story.newsletter.operator
    newsletter.relay.on(Misdeed("DOT", delay=0.3))
    mailing = operator.publishes(an_issue("2024-W05", "en"), "en")
    eventually(lambda: issues_in_all(story) >= 3, "the first messages")
    backup = story.backs_up()
    (leaving,) = [a for a in CROWD if newsletter.issues_to(a)][:1]
    (message,) = newsletter.issues_to(leaving)
    assert newsletter.reader.unsubscribes_by_one_click(message).status == 200
    eventually(lambda: issues_in_all(story) >= 8, "more messages")
    backup.put_back()

    def told() -> list[str]:
        try:
            return [each for each in story.alerts() if "restored from a backup" in each]
        except (AssertionError, OSError):
            return []  # the database was away for a moment

    eventually(told, "the alert of the restore")
    seen = operator.waits(mailing, lambda look: not look["claimed"], "nothing to be on its way")
    assert seen["state"] == "paused", json.dumps(seen)
    newsletter.relay.behave()
    assert operator.acts(mailing, "resume").status == 200
    operator.waits_for_end(mailing)
    assert max(per_reader(story)) == 1
