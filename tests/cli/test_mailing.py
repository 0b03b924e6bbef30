"""`vestka mailing`: launched once, shown with its balance, held, and its doubts decided."""

import io
import sys

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
from tests.support.builders import a_subscriber, an_issue
from tests.support.clock import MONDAY
from tests.support.terminal import Terminal

START = ("mailing", "start", "2025-W04", "EN")


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


def stand(database: Database, state: str) -> None:
    """Put every message into this state."""
    with database.transaction() as session:
        session.execute(update(Delivery).values(state=state))
        complete(session, now=MONDAY)


def test_a_mailing_is_launched_once(launched: Terminal) -> None:
    again = launched.run(*START, "--json").json
    assert (again["id"], again["new"], again["audience"]) == (1, False, 2)
    (listed,) = launched.run("mailing", "list", "--json").json
    assert (listed["pending"], listed["state"]) == (2, "running")
    assert "2025-W04" in launched.run("mailing", "list").out


def test_a_mailing_may_be_spread_over_a_window(terminal: Terminal, database: Database) -> None:
    with database.transaction() as session:
        an_issue(session, approved=("en",))
    assert terminal.refused(*START, "--over", "soon").startswith("--over must be a duration")
    assert "six days" in terminal.refused(*START, "--over", "7d")
    assert terminal.run(*START, "--over", "3h", "--json").json["over"] == 3 * 3600
    assert terminal.run(*START, "--over", "1h", "--json").json["over"] == 3 * 3600, "launched once"


@pytest.mark.parametrize(("given", "over"), [(None, 7200), ("0", None), ("30m", 1800)])
def test_the_setting_is_the_window_where_none_is_given(
    given: str | None, over: int | None, terminal: Terminal, database: Database
) -> None:
    terminal.set("VESTKA_SEND_WINDOW", "2h")
    with database.transaction() as session:
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
    assert launched.refused("mailing", "resume", "1") == (
        "a mailing that is cancelled cannot become running"
    )


@pytest.mark.parametrize(
    ("answer", "state"), [("y", "cancelled"), ("n", "running"), ("", "running")]
)
def test_an_end_is_asked_for_first(
    answer: str, state: str, launched: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer and f"{answer}\n"))
    ran = launched.run("mailing", "cancel", "1")
    assert "2025-W04 to en: 2 messages are not sent yet, and never will be." in ran.err
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
        launched.run("mailing", "uncertain", "1").out
        == "No message of this mailing is uncertain.\n"
    )
    said = launched.refused("mailing", "uncertain", "1", "--settle", "--resend")
    assert said == "--resend and --settle cannot both be wanted."


def test_what_is_not_approved_does_not_start(terminal: Terminal, database: Database) -> None:
    assert terminal.refused(*START) == "There is no issue for this week."
    with database.transaction() as session:
        an_issue(session)
    assert terminal.refused(*START) == "This issue is not approved for this segment."
