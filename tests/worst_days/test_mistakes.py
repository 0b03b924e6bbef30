"""What an operator does about a mistake, and what readers get then: as HTTP, commands and messages.

The relay takes so many messages in an hour, so that a mailing stands still where the story needs
it; then it is let go on by a relay without a limit.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import Opening
from tests.support.newsletter import Newsletter, an_issue

WEEK = "2025-W04"
READERS = {
    "ann@example.org": "be",
    "bob@example.org": "be",
    "cid@example.org": "ru",
    "dan@example.org": "ru",
}
TYPO, RIGHT = "It costs 85 roubles.", "It costs 58 roubles."


def limited(opening: Opening, per_hour: int) -> Iterator[Newsletter]:
    """A newsletter with four readers of BE/RU whose relay takes so many messages an hour more."""
    with opening() as newsletter:
        newsletter.reader.are_confirmed(
            {address: (["be-ru"], language) for address, language in READERS.items()}
        )
        relay = newsletter.place.environment["VESTKA_RELAYS"]
        if per_hour:
            newsletter.restarts(VESTKA_RELAYS=f"{relay}?per_hour={per_hour}")
        else:
            newsletter.restarts(VESTKA_RELAYS=f"{relay}?warm_up=2999-01-01")
        yield newsletter


@pytest.fixture
def none_gone(opening: Opening) -> Iterator[Newsletter]:
    """None of a mailing's four messages goes."""
    yield from limited(opening, 0)


@pytest.fixture
def two_gone(opening: Opening) -> Iterator[Newsletter]:
    """Two of a mailing's four messages go."""
    yield from limited(opening, 2)


@pytest.fixture
def all_gone(opening: Opening) -> Iterator[Newsletter]:
    """All four go."""
    yield from limited(opening, 1000)


def the_issue(body: str, *languages: str) -> dict[str, Any]:
    return an_issue(WEEK, *(languages or ("en", "be", "ru")), body=body)


def lets_go(newsletter: Newsletter) -> None:
    """Take the relay's limit away."""
    relay = newsletter.place.environment["VESTKA_RELAYS"]
    newsletter.restarts(VESTKA_RELAYS=relay.partition("?")[0])


def texts(newsletter: Newsletter) -> list[str]:
    """Return which text each reader has; nobody has two messages."""
    found = []
    for address in READERS:
        issues = newsletter.issues_to(address)
        assert len(issues) <= 1, "nobody gets a second copy"
        found += [TYPO if TYPO in each.text else RIGHT for each in issues]
        assert all((TYPO in each.text) != (RIGHT in each.text) for each in issues)
    return found


def shown(newsletter: Newsletter) -> str:
    """Return the archive's page of the issue in Belarusian; empty if there is none."""
    answer = newsletter.reader.sends("GET", f"/archive/be-ru/{WEEK}")
    return answer.text if answer.status == 200 else ""


def commands(newsletter: Newsletter, *arguments: str | Path) -> dict[str, Any]:
    """Run a command that must work; return what it printed."""
    ran = newsletter.place.command(*map(str, arguments), "--json")
    assert ran.returncode == 0, ran.stderr
    printed: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return printed


def audit(newsletter: Newsletter) -> list[str]:
    return [each["action"] for each in newsletter.operator.sees("/v1/audit")]


def test_a_typo_is_found_while_none_of_four_has_gone(none_gone: Newsletter) -> None:
    operator = none_gone.operator
    mailing = operator.publishes(the_issue(TYPO), "be-ru")
    operator.waits(mailing, lambda seen: seen["audience"] == 4, "its audience")
    assert TYPO in shown(none_gone)
    refused = operator.stores(the_issue(RIGHT))
    assert (refused.status, "recall the mailing" in refused.json()["detail"]) == (409, True)
    refused = operator.calls("DELETE", f"/v1/issues/{WEEK}/approval")
    assert (refused.status, "vestka mailing recall" in refused.json()["detail"]) == (409, True)

    recalled = operator.acts(mailing, "recall")
    assert (recalled.status, recalled.json()["state"]) == (200, "recalled"), recalled.text
    assert shown(none_gone) == "", "the archive does not show it any more"
    assert operator.acts(mailing, "recall").json()["state"] == "recalled", "twice is once"
    assert operator.acts(mailing, "resume").status == 409
    assert operator.stores(the_issue(RIGHT)).status == 200, "the issue is open again"
    assert operator.launches(WEEK, "be-ru").status == 409, "it has to be approved again"
    assert operator.approves(WEEK, "be-ru").status == 200
    again = operator.launches(WEEK, "be-ru")
    assert again.status == 201
    lets_go(none_gone)
    end = operator.waits_for_end(again.json()["id"])
    assert (end["audience"], end["sent"]) == (4, 4)
    assert texts(none_gone) == [RIGHT] * 4
    assert RIGHT in shown(none_gone)
    assert "mailing recalled" in audit(none_gone)


def test_a_typo_is_found_while_two_of_four_have_gone(two_gone: Newsletter) -> None:
    operator = two_gone.operator
    mailing = operator.publishes(the_issue(TYPO), "be-ru")
    operator.waits(mailing, lambda seen: seen["sent"] == 2, "two that have gone")
    refused = operator.acts(mailing, "recall")
    assert refused.status == 409
    assert "messages attempted: 2 of 4. Pause it" in refused.json()["detail"]
    refused = operator.calls("POST", f"/v1/mailings/{mailing}/revision", the_issue(RIGHT))
    assert (refused.status, "Pause it first" in refused.json()["detail"]) == (409, True)

    assert operator.acts(mailing, "pause").status == 200
    lacking = operator.calls("POST", f"/v1/mailings/{mailing}/revision", the_issue(RIGHT, "en"))
    assert lacking.status == 409, "what the readers cannot read is not approved"
    assert TYPO in shown(two_gone), "and nothing of it is kept"
    revised = operator.calls("POST", f"/v1/mailings/{mailing}/revision", the_issue(RIGHT))
    assert revised.status == 200, revised.text
    assert (revised.json()["revision"], revised.json()["state"]) == (2, "paused")
    assert RIGHT in shown(two_gone)
    assert TYPO not in shown(two_gone)
    sent = two_gone.reader.sends("GET", f"/v1/archive/be-ru/{WEEK}").json()
    assert sent["updated_at"] > sent["launched_at"]

    assert operator.acts(mailing, "resume").status == 200
    lets_go(two_gone)
    end = operator.waits_for_end(mailing)
    assert (end["sent"], end["sent_by_revision"]) == (4, {"1": 2, "2": 2})
    assert Counter(texts(two_gone)) == {TYPO: 2, RIGHT: 2}
    assert "mailing revised" in audit(two_gone)


def test_a_typo_is_found_after_all_have_gone(all_gone: Newsletter, tmp_path: Path) -> None:
    operator = all_gone.operator
    mailing = operator.publishes(the_issue(TYPO), "be-ru")
    operator.waits_for_end(mailing)
    refused = operator.acts(mailing, "recall")
    assert "messages attempted: 4 of 4" in refused.json()["detail"]
    assert "vestka issue correct" in refused.json()["detail"]
    started = all_gone.place.command("mailing", "start", WEEK, "be-ru", "--yes")
    assert started.returncode == 1, "it does not say that all is well"
    assert f"mailing {mailing} is finished; nothing was done now" in started.stderr
    assert f"vestka issue correct {WEEK}" in started.stderr

    path = tmp_path / "issue.json"
    path.write_text(json.dumps(the_issue(RIGHT)), encoding="utf-8")
    note = "У другім абзацы была памылка: 58, а не 85 рублёў."
    corrected = commands(all_gone, "issue", "correct", WEEK, path, "--note", f"be={note}", "--yes")
    assert corrected["version"] == 2
    page = shown(all_gone)
    assert RIGHT in page
    assert TYPO not in page
    assert note in page
    assert "mailing 2" not in page
    feed = all_gone.reader.sends("GET", "/archive/be-ru/feed.xml").text
    assert RIGHT in feed
    assert note in feed
    assert texts(all_gone) == [TYPO] * 4, "nobody is written to again"
    assert [each["kind"] for each in operator.sees(f"/v1/issues/{WEEK}/versions")] == [
        "correction",
        "original",
    ]
    earlier = operator.sees(f"/v1/issues/{WEEK}/versions/1")
    assert TYPO in json.dumps(earlier)
    assert "issue corrected" in audit(all_gone)


def test_the_wrong_segment_is_launched(none_gone: Newsletter) -> None:
    operator = none_gone.operator
    none_gone.reader.subscribes("eve@example.org", ["en"])
    issue = the_issue(RIGHT)
    assert operator.stores(issue).status == 201
    assert operator.approves(WEEK).status == 200
    empty = operator.launches(WEEK, "en")
    assert empty.status == 409
    assert "EN has no confirmed subscriber. Nothing was launched" in empty.json()["detail"]
    wrong = operator.launches(WEEK, "be-ru").json()["id"]
    refused = none_gone.place.command("mailing", "recall", str(wrong))
    assert (refused.returncode, refused.stderr.splitlines()[-1]) == (
        2,
        "vestka: Confirmation needed: repeat with --yes.",
    )
    assert commands(none_gone, "mailing", "recall", str(wrong), "--yes")["state"] == "recalled"
    assert operator.launches(WEEK, "en").status == 409, "no approval is left that a slot could take"
    lets_go(none_gone)
    none_gone.settles()
    assert texts(none_gone) == []


def test_a_mailing_is_cancelled_by_mistake(two_gone: Newsletter) -> None:
    operator = two_gone.operator
    mailing = operator.publishes(the_issue(RIGHT), "be-ru")
    operator.waits(mailing, lambda seen: seen["sent"] == 2, "two that have gone")
    asked = two_gone.place.command("mailing", "cancel", str(mailing))
    assert (asked.returncode, operator.looks_at(mailing)["state"]) == (2, "running")
    assert commands(two_gone, "mailing", "cancel", str(mailing), "--yes")["state"] == "cancelled"
    operator.waits(mailing, lambda seen: seen["excluded"] == {"cancelled": 2}, "the two others")
    started = operator.launches(WEEK, "be-ru")
    assert started.status == 409
    assert f"vestka mailing resume {mailing}" in started.json()["detail"]
    ran = two_gone.place.command("mailing", "start", WEEK, "be-ru", "--yes")
    assert (ran.returncode, f"vestka mailing resume {mailing}" in ran.stderr) == (2, True)

    assert commands(two_gone, "mailing", "resume", str(mailing))["state"] == "running"
    lets_go(two_gone)
    end = operator.waits_for_end(mailing)
    assert (end["sent"], end["excluded"]) == (4, {})
    assert texts(two_gone) == [RIGHT] * 4
    late = operator.acts(mailing, "resume")
    assert (late.status, late.json()["detail"]) == (
        409,
        "The mailing is finished; it cannot be resumed.",
    )
