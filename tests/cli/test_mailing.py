"""`vestka mailing`: launched once, shown with its balance, held, and its doubts decided."""

import io
import json
import sys
from pathlib import Path

import pytest
from sqlalchemy import update

from app.addresses.keyring import Keyring
from app.database import Database
from app.deliveries.ledger.completion import complete
from app.deliveries.ledger.enrolment import enrol
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.states import PENDING, SENT, UNCERTAIN
from app.mailings.models import Mailing
from app.settings import Settings
from tests.support.builders import a_document, a_subscriber, an_issue
from tests.support.clock import MONDAY
from tests.support.terminal import Terminal

START = ("mailing", "start", "2025-W04", "EN", "--yes")


@pytest.fixture
def launched(terminal: Terminal, database: Database, keyring: Keyring) -> Terminal:
    """A terminal where an issue was launched to two readers, who are enrolled."""
    with database.transaction() as session:
        a_subscriber(session, keyring)
        a_subscriber(session, keyring, "bob@example.org")
        an_issue(session, approved=("en",))
    assert terminal.run(*START, "--json").json["new"] is True
    with database.transaction() as session:
        enrol(session, life=Settings({}).retry_for, now=MONDAY)
    return terminal


class Tty(io.StringIO):
    """Standard input at a terminal."""

    def isatty(self) -> bool:
        return True


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    """Type this at a terminal."""
    monkeypatch.setattr(sys, "stdin", Tty(typed))


def stand(database: Database, state: str) -> None:
    """Put every message into this state."""
    with database.transaction() as session:
        session.execute(update(Delivery).values(state=state))
        complete(session, now=MONDAY)


def test_a_mailing_is_launched_once(launched: Terminal) -> None:
    ran = launched.run(*START, "--json")
    assert (ran.status, "mailing 1 is running; nothing was done now" in ran.err) == (0, True)
    again = ran.json
    assert (again["id"], again["new"], again["audience"]) == (1, False, 2)
    (listed,) = launched.run("mailing", "list", "--json").json
    assert (listed["pending"], listed["state"]) == (2, "running")
    assert "2025-W04" in launched.run("mailing", "list").out


def test_a_mailing_may_be_spread_over_a_window(
    terminal: Terminal, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring)
        an_issue(session, approved=("en",))
    assert terminal.refused(*START, "--over", "soon").startswith("--over must be a duration")
    assert "six days" in terminal.run(*START, "--over", "7d").err
    assert terminal.run(*START, "--over", "3h", "--json").json["over"] == 3 * 3600
    assert terminal.run(*START, "--over", "1h", "--json").json["over"] == 3 * 3600, "launched once"


@pytest.mark.parametrize(("given", "over"), [(None, 7200), ("0", None), ("30m", 1800)])
def test_the_setting_is_the_window_where_none_is_given(
    given: str | None, over: int | None, terminal: Terminal, database: Database, keyring: Keyring
) -> None:
    terminal.set("VESTKA_SEND_WINDOW", "2h")
    with database.transaction() as session:
        a_subscriber(session, keyring)
        an_issue(session, approved=("en",))
    options = ("--over", given) if given else ()
    assert terminal.run(*START, *options, "--json").json["over"] == over


def test_a_mailing_is_held_let_go_and_ended(launched: Terminal) -> None:
    states = [
        launched.run("mailing", *act, "1", "--json").json["state"]
        for act in (["pause"], ["pause"], ["resume"], ["cancel", "--yes"])
    ]
    assert states == ["paused", "paused", "running", "cancelled"]
    assert launched.run("mailing", "show", "1", "--json").json["excluded"] == {"cancelled": 2}
    assert launched.refused("mailing", "pause", "1") == (
        "The mailing is cancelled; it cannot be paused. It can be resumed, or recalled if nothing"
        " was attempted."
    )
    assert launched.run("mailing", "resume", "1", "--json").json["state"] == "running"
    assert launched.run("mailing", "show", "1", "--json").json["pending"] == 2


@pytest.mark.parametrize(
    ("answer", "state"), [("y", "cancelled"), ("n", "running"), ("", "running")]
)
def test_an_end_is_asked_for_first(
    answer: str, state: str, launched: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_a_terminal(monkeypatch, answer and f"{answer}\n")
    ran = launched.run("mailing", "cancel", "1")
    assert "2025-W04 to en: 2 emails are not sent yet, and will not be unless" in ran.err
    assert ran.status == (0 if state == "cancelled" else 1)
    assert launched.run("mailing", "show", "1", "--json").json["state"] == state


def test_watching_ends_when_it_stands_still(launched: Terminal, database: Database) -> None:
    stand(database, SENT)
    ran = launched.run("mailing", "watch", "1", "--json")
    assert (ran.json["state"], ran.json["sent"], ran.out.count("\n")) == ("finished", 2, 1)
    assert "2/2" in ran.err


def test_watching_looks_again(
    launched: Terminal, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def meanwhile(_seconds: float) -> None:
        looks.append(1)
        if len(looks) == 3:
            stand(database, SENT)

    monkeypatch.setattr("app.cli.progress_bar.time.sleep", meanwhile)
    assert launched.run("mailing", "watch", "1", "--json").json["state"] == "finished"
    assert len(looks) == 3


def test_doubts_are_listed_and_sent_again(launched: Terminal, database: Database) -> None:
    stand(database, UNCERTAIN)
    assert len(launched.run("mailing", "uncertain", "1", "--json").json) == 2
    decided = launched.run("mailing", "uncertain", "1", "--resend", "--json").json
    assert decided == {"mailing": 1, "action": "resend", "messages": 2}
    with database.reading() as session:
        assert {row.state for row in session.query(Delivery)} == {PENDING}
        assert session.get_one(Mailing, 1).state == "running"


def test_doubts_are_counted_as_sent(launched: Terminal, database: Database) -> None:
    stand(database, UNCERTAIN)
    assert launched.run("mailing", "uncertain", "1", "--settle", "--json").json["messages"] == 2
    assert (
        launched.run("mailing", "uncertain", "1").out == "No email of this mailing is uncertain.\n"
    )
    said = launched.refused("mailing", "uncertain", "1", "--settle", "--resend")
    assert said == "--resend and --settle cannot both be wanted."


def test_what_is_not_approved_does_not_start(terminal: Terminal, database: Database) -> None:
    assert terminal.refused(*START) == "There is no issue for this week."
    with database.transaction() as session:
        an_issue(session)
    assert terminal.refused(*START) == "This issue is not approved for this segment."


@pytest.mark.parametrize(("typed", "status"), [("y\n", 0), ("n\n", 1), ("", 1)])
def test_a_start_says_who_would_get_what_and_asks(
    typed: str,
    status: int,
    terminal: Terminal,
    database: Database,
    keyring: Keyring,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with database.transaction() as session:
        for number in range(3):
            a_subscriber(session, keyring, f"r{number}@example.org", segments=["be-ru"])
        an_issue(session, approved=("be-ru",))
    at_a_terminal(monkeypatch, typed)
    ran = terminal.run("mailing", "start", "2025-W04", "be-ru", "--json")
    issue, readers, be, ru, relay = ran.err.splitlines()[:5]
    assert issue == "Issue 2025-W04 to BE/RU (be-ru)"
    assert (readers, relay) == ("Readers: 3", "Relay: 127.0.0.1:1")
    assert (be[:14], ru[:14]) == ("Subject (be): ", "Subject (ru): ")
    assert (ran.status, bool(ran.out)) == (status, status == 0)
    assert len(terminal.run("mailing", "list", "--json").json) == 1 - status


def test_where_nobody_can_be_asked_it_takes_a_yes(launched: Terminal) -> None:
    for act in (["cancel", "1"], ["recall", "1"]):
        said = launched.refused("mailing", *act)
        assert said == "Confirmation needed: repeat with --yes."
    launched.run("mailing", "recall", "1", "--yes")
    launched.run("issue", "approve", "2025-W04")
    ran = launched.run("mailing", "start", "2025-W04", "en")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.endswith("vestka: Confirmation needed: repeat with --yes.\n")
    assert launched.run("mailing", "show", "1", "--json").json["state"] == "recalled"


def test_a_segment_without_readers_is_not_started(terminal: Terminal, database: Database) -> None:
    with database.transaction() as session:
        an_issue(session, approved=("en",))
    said = terminal.refused(*START)
    assert said.startswith("EN has no confirmed subscriber. Nothing was launched;")
    assert terminal.run("mailing", "list", "--json").json == []


@pytest.mark.parametrize(
    ("act", "status", "way_on"),
    [
        ("pause", 1, "vestka mailing resume 1"),
        ("cancel", 2, "vestka mailing resume 1"),
        ("finish", 1, "vestka issue correct 2025-W04"),
    ],
)
def test_a_second_start_never_ends_well_in_silence(
    act: str, status: int, way_on: str, launched: Terminal, database: Database
) -> None:
    if act == "finish":
        stand(database, SENT)
    else:
        launched.run("mailing", act, "1", *(["--yes"] if act == "cancel" else []))
    ran = launched.run(*START)
    assert (ran.status, way_on in ran.err) == (status, True), ran


def test_a_revision_is_asked_for_and_told(
    launched: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "issue.json"
    path.write_text(json.dumps(a_document(said="Better")))
    assert "Pause it first" in launched.refused("mailing", "revise", "1", path, "--yes")
    launched.run("mailing", "pause", "1")
    assert launched.refused("mailing", "revise", "1", path) == (
        "Confirmation needed: repeat with --yes."
    )
    at_a_terminal(monkeypatch, "y\n")
    ran = launched.run("mailing", "revise", "1", path, "--json")
    assert "0 readers have revision 1 or an earlier one; approve this text as revision 2" in ran.err
    assert (ran.json["revision"], ran.json["state"]) == (2, "paused")
    preview = launched.run("issue", "preview", "2025-W04", "--segment", "en", "--json").json
    assert "Better (en)" in preview["text"]


def test_failed_messages_are_listed_and_sent_again(launched: Terminal, database: Database) -> None:
    assert launched.run("mailing", "failed", "1").out == "No email of this mailing failed.\n"
    with database.transaction() as session:
        session.execute(update(Delivery).values(state="failed", reason="message", reply_code=554))
    (listed,) = launched.run("mailing", "failed", "1", "--json").json
    assert (listed["reason"], listed["ours"], listed["messages"]) == ("message", True, 2)
    assert launched.run("mailing", "failed", "1", "--reason", "relay", "--json").json == []
    said = launched.refused("mailing", "failed", "1", "--resend", "--reason", "relay")
    assert "message" in said
    resent = launched.run("mailing", "failed", "1", "--resend", "--json").json
    assert (resent["action"], resent["messages"]) == ("resend", 2)
    assert launched.run("mailing", "show", "1", "--json").json["pending"] == 2
