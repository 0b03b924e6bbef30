"""Recalls and revisions while a sender is sending: nobody is lost, and nobody gets two."""

import pathlib
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.journeys.conftest import Opening
from tests.support.newsletter import Message, Newsletter, an_issue
from tests.support.smtpd import Misdeed

CROWD = [f"reader-{number}@example.org" for number in range(40)]
TYPO, RIGHT = "It costs 85 roubles.", "It costs 58 roubles."


@pytest.fixture(scope="module")
def newsletter(opening: Opening, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsletter]:
    """A newsletter with a crowd of readers, half of each language, and a slow relay."""
    with opening(VESTKA_RELAY_CONNECTIONS="3") as running:
        path = pathlib.Path(tmp_path_factory.mktemp("list")) / "list.csv"
        rows = [
            f"{address},be-ru,{'be' if number % 2 else 'ru'}"
            for number, address in enumerate(CROWD)
        ]
        path.write_text("\n".join(["email,segments,language", *rows]), encoding="utf-8")
        words = ("--consent", "We agreed.")
        ran = running.place.command("subscribers", "import", str(path), *words, "--yes")
        assert ran.returncode == 0, ran.stderr
        running.relay.on(Misdeed("DOT", delay=0.2))
        yield running


def copies(newsletter: Newsletter, week: str) -> Counter[str]:
    """Count each reader's messages of this week."""
    title = f"title of {week}"
    found = Counter[str]()
    for address in CROWD:
        found[address] = sum(title in each.text for each in newsletter.issues_to(address))
    return found


def test_none_of_the_earlier_text_goes_once_the_new_one_is_approved(
    newsletter: Newsletter,
) -> None:
    operator, relay = newsletter.operator, newsletter.relay
    week = "2025-W04"
    before = len(relay.messages)
    mailing = operator.publishes(an_issue(week, "be", "ru", body=TYPO), "be-ru")
    operator.waits(mailing, lambda seen: seen["sent"] >= 3, "some that have gone")
    assert operator.acts(mailing, "pause").status == 200
    issue = an_issue(week, "be", "ru", body=RIGHT)
    revised = operator.calls("POST", f"/v1/mailings/{mailing}/revision", issue)
    assert revised.status == 200, revised.text
    gone = len(relay.messages)
    assert operator.acts(mailing, "resume").status == 200
    end = operator.waits_for_end(mailing)
    texts = [Message(each).text for each in relay.messages[before:]]
    early, late = texts[: gone - before], texts[gone - before :]
    assert early
    assert late
    assert all(TYPO in text and RIGHT not in text for text in early)
    assert all(RIGHT in text and TYPO not in text for text in late)
    assert end["sent_by_revision"] == {"1": len(early), "2": len(late)}
    assert set(copies(newsletter, week).values()) == {1}


@pytest.mark.parametrize("looks", range(6))
def test_a_recall_comes_in_time_or_is_refused_with_numbers(
    looks: int, newsletter: Newsletter
) -> None:
    """At six moments after the launch: before, while and after the sender claims the first."""
    operator = newsletter.operator
    week = f"2025-W{looks + 10}"
    mailing = operator.publishes(an_issue(week, "be", "ru"), "be-ru")
    for _ in range(looks * 3):
        operator.looks_at(mailing)
    answer = operator.acts(mailing, "recall")
    if answer.status == 200:
        assert answer.json()["state"] == "recalled"
        assert not any(copies(newsletter, week).values()), "none had gone"
        assert operator.approves(week, "be-ru").status == 200
        again = operator.launches(week, "be-ru")
        assert again.status == 201
    else:
        assert answer.status == 409
        assert answer.json()["attempted"] > 0, answer.text
        assert f"of {len(CROWD)}" in answer.json()["detail"]
        if operator.looks_at(mailing)["state"] == "paused":
            assert operator.acts(mailing, "resume").status == 200
    end = operator.waits_for_end(mailing)
    assert end["sent"] == len(CROWD)
    assert set(copies(newsletter, week).values()) == {1}
