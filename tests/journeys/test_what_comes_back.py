"""Messages come back by pipe, API and Maildir: who is dead or objects is gone, and nobody else."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import Opening
from tests.support.bounces import a_bounce, a_complaint, an_absence
from tests.support.newsletter import Message, Newsletter, an_issue
from tests.support.service import Answer, eventually

DEAD, SPAM, FULL, GONE, AWAY = CROWD = [
    f"{name}@example.org" for name in ("dead", "spam", "full", "gone", "away")
]
MESSAGE = {"Content-Type": "message/rfc822"}


class Story:
    """A newsletter whose issue went out, and what its messages looked like."""

    def __init__(self, newsletter: Newsletter, maildir: Path) -> None:
        self.newsletter = newsletter
        self.operator = newsletter.operator
        self.maildir = maildir
        newsletter.reader.are_confirmed(dict.fromkeys(CROWD, (["en"], "en")))
        self.mailing = self.operator.publishes(an_issue("2025-W04", "en"), "en")
        self.operator.waits_for_end(self.mailing)
        self.messages = {address: newsletter.issues_to(address)[0] for address in CROWD}

    def message(self, address: str) -> Message:
        return self.messages[address]

    def bounce_of(self, address: str, said: str) -> bytes:
        message = self.message(address)
        return a_bounce(message.received.sender, address, said, message.raw)

    def posts(self, raw: bytes) -> Answer:
        return self.operator.calls("POST", "/v1/bounces", raw, headers=MESSAGE)

    def confirmed(self) -> int:
        return int(self.operator.counts()["en"]["confirmed"])

    def left(self) -> Mapping[str, int]:
        left: Mapping[str, int] = self.operator.counts()["en"]["left"]
        return left

    def outcomes(self) -> dict[str, Any]:
        seen: dict[str, Any] = self.operator.sees(f"/v1/mailings/{self.mailing}/outcomes")
        return seen


@pytest.fixture(scope="module")
def story(opening: Opening, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    maildir = tmp_path_factory.mktemp("returned")
    for name in ("new", "cur", "tmp"):
        (maildir / name).mkdir()
    with opening(VESTKA_BOUNCE_MAILDIR=str(maildir)) as newsletter:
        yield Story(newsletter, maildir)


def became(answer: Answer) -> list[tuple[str, str]]:
    assert answer.status == 200, answer.text
    return [(each["class"], each["became"]) for each in answer.json()["outcomes"]]


def test_a_dead_address_ends_by_the_pipe(story: Story) -> None:
    raw = story.bounce_of(DEAD, "550 5.1.1 <dead@example.org>: User unknown")
    place = story.newsletter.place
    before = story.confirmed()
    for expected in ("taken", "known"):
        done = place.command("bounce", "--json", given=raw)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {
            "became": expected,
            "class": "hard",
            "reason": "user-unknown",
        }
        assert DEAD not in done.stdout + done.stderr
    assert story.confirmed() == before - 1
    assert story.left()["dead"] == 1
    told = place.command("suppression", "test", "--json", given=DEAD.encode())
    assert json.loads(told.stdout) == {"suppressed": True, "reasons": ["dead"]}


def test_a_complaint_holds_until_the_reader_confirms_anew(story: Story) -> None:
    before = story.confirmed()
    message = story.message(SPAM)
    raw = a_complaint("feedback@example.org", message.raw, message.received.sender)
    assert became(story.posts(raw)) == [("complaint", "taken")]
    assert story.confirmed() == before - 1
    eventually(lambda: story.operator.suppressed()["complaint"] == 1, "the suppression")
    messages = len(story.newsletter.inbox_of(SPAM))
    reader = story.newsletter.reader
    assert reader.subscribes(SPAM, ["en"]).status == 202
    reader.gets_message(SPAM, "confirm", after=messages)
    assert story.operator.suppressed()["complaint"] == 1
    assert reader.confirms(SPAM, after=messages).status < 400
    eventually(lambda: story.operator.suppressed()["complaint"] == 0, "the suppression's end")
    mailing = story.operator.publishes(an_issue("2025-W05", "en"), "en")
    story.operator.waits_for_end(mailing)
    assert len(story.newsletter.issues_to(SPAM)) == 2


def test_whoever_has_a_forward_ends_one_subscription_and_no_more(story: Story) -> None:
    reader, victim = story.newsletter.reader, "forwards@example.org"
    reader.is_confirmed(victim, ["en", "be-ru"], "en")
    operator = story.operator
    operator.waits_for_end(operator.publishes(an_issue("2025-W06", "en", "be"), "en"))
    (issue,) = story.newsletter.issues_to(victim)
    assert became(story.posts(a_complaint("news@example.org", issue.raw))) == [
        ("complaint", "taken")
    ]
    story.newsletter.settles()
    assert operator.suppressed()["complaint"] == 0
    operator.waits_for_end(operator.publishes(an_issue("2025-W07", "en", "be"), "en"))
    operator.waits_for_end(operator.publishes(an_issue("2025-W07", "en", "be"), "be-ru"))
    assert len(story.newsletter.issues_to(victim)) == 2
    reader.is_confirmed(victim, ["en"], "en")
    operator.waits_for_end(operator.publishes(an_issue("2025-W08", "en"), "en"))
    assert len(story.newsletter.issues_to(victim)) == 3


def test_what_harms_nobody_harms_nobody(story: Story) -> None:
    before = story.confirmed()
    full = story.bounce_of(FULL, "552 5.2.2 Mailbox full")
    blocked = story.bounce_of(FULL, "554 5.7.1 Your IP is on a blacklist")
    absent = an_absence(story.message(AWAY).received.sender)
    assert became(story.posts(full)) == [("soft", "taken")]
    assert became(story.posts(blocked)) == [("block", "taken")]
    assert became(story.posts(absent)) == [("auto", "taken")]
    assert story.confirmed() == before
    alerts = [each["text"] for each in story.operator.sees("/v1/alerts")]
    assert [text for text in alerts if "refused because of us" in text]


def test_what_proves_nothing_changes_nothing(story: Story) -> None:
    before = story.confirmed()
    forged = story.message(AWAY).received.sender
    forged = forged[:5] + ("a" if forged[5] != "a" else "b") + forged[6:]
    for raw in (a_bounce(forged, AWAY), a_bounce("news@example.org", AWAY), b"", b"\xff\x00" * 50):
        ((_, what),) = became(story.posts(raw))
        assert what == "foreign"
    assert story.confirmed() == before


def test_a_webhook_tells_it_in_the_documented_shape(story: Story) -> None:
    event = {"return_path": story.message(FULL).received.sender, "text": "552 5.2.2 Mailbox full"}
    path = "/v1/bounces"
    assert became(story.operator.calls("POST", path, {"events": [event]})) == [("soft", "known")]
    refused = story.operator.calls("POST", path, {"events": [{**event, "email": FULL}]})
    assert (refused.status, refused.fields) == (422, ["events.0.email"])
    assert FULL not in refused.text
    assert story.operator.calls("POST", path, b"x", headers={"Content-Type": "x/y"}).status == 415


def test_a_maildir_is_collected(story: Story) -> None:
    before = story.confirmed()
    raw = story.bounce_of(GONE, "550 5.1.1 No such user here")
    (story.maildir / "new" / "1.host").write_bytes(raw)
    (story.maildir / "new" / "2.host").write_bytes(a_bounce("news@example.org", GONE))
    story.newsletter.restarts()  # it looks at once, and then every half a minute
    eventually(lambda: not list((story.maildir / "new").iterdir()), "the Maildir to be emptied")
    assert [path.name for path in (story.maildir / "cur").iterdir()] == ["2.host:2,S"]
    assert story.confirmed() == before - 1


def test_operators_see_it_without_addresses(story: Story) -> None:
    seen = story.outcomes()
    assert seen["sent"] == len(CROWD)
    assert seen["classes"] == {"auto": 1, "block": 1, "complaint": 1, "hard": 2, "soft": 1}
    assert set(seen["providers"]) == {"other"}
    said = [each["text"] for each in seen["diagnostics"]]
    assert said == ["554 5.7.1 Your IP is on a blacklist"]  # of one reader alone nothing is kept
    done = story.newsletter.place.command("mailing", "outcomes", str(story.mailing))
    assert "user-unknown" in done.stdout
    assert "@" not in done.stdout + json.dumps(seen)
    log = "".join(path.read_text() for path in story.newsletter.place.logs)
    assert "came back" in log
    assert not [address for address in CROWD if address.partition("@")[0] + "@" in log]
