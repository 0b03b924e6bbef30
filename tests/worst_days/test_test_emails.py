"""An editor's test email is what readers would get: sent and signed by the sender, kept by nobody.

Three processes, as they stand on three hosts: the DKIM keys and the relay are the sender's alone.
"""

import json
from collections.abc import Iterator
from email import message_from_bytes, policy
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

import dkim
import pytest
from sqlalchemy import text

from app.database import Database
from tests.journeys.conftest import database
from tests.journeys.test_split_roles import as_user, give_public_keys, users
from tests.support.newsletter import Newsletter, an_issue
from tests.support.service import Place, Process, eventually, serving
from tests.support.smtpd import Misdeed, ScriptedServer
from tests.support.traces import files, search, traces

WEEK = "2024-W31"
CALL = f"/v1/issues/{WEEK}/test-letters"
SECRET = "sesame"
EDITOR = f"editor.{SECRET}@example.org"
FORMS = traces(SECRET, [EDITOR])


class Hosts(NamedTuple):
    """The newsletter as operators see it, and the sender's place."""

    newsletter: Newsletter
    sender: Place
    url: str
    record: bytes

    def asks(self, *to: str, segment: str = "en", status: int = 200) -> list[dict[str, object]]:
        wish = {"to": list(to), "segment": segment}
        answer = self.newsletter.operator.calls("POST", CALL, wish)
        assert answer.status in {status, 202}, answer.text
        found: list[dict[str, object]] = answer.json()
        if answer.status == status:
            return found
        # The call ended before the sender did; this machine is busy.
        return [eventually(partial(self.settled, each), "an outcome") for each in found]

    def settled(self, told: dict[str, object]) -> dict[str, object]:
        """Return what is known of a test email once it is known, and nothing before."""
        found = {**told, **self.asked_again(told["id"])}
        return found if found["state"] not in {"waiting", "sending"} else {}

    def asked_again(self, test_id: object) -> dict[str, object]:
        found: dict[str, object] = self.newsletter.operator.sees(f"{CALL}/{test_id}")
        return found

    def state(self, test_id: object) -> object:
        return self.asked_again(test_id)["state"]

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        """Look into the database as its owner."""
        opened = Database(self.url)
        with opened.reading() as session:
            found = [tuple(row) for row in session.execute(text(statement))]
        opened.close()
        return found

    def sealed(self, told: dict[str, object]) -> bool:
        """Tell whether the address of this test email is still kept."""
        kept = self.rows("SELECT id FROM test_messages WHERE sealed IS NOT NULL")
        return bytes.fromhex(str(told["id"])) in {bytes(cast("bytes", row[0])) for row in kept}


@pytest.fixture(scope="module")
def hosts(
    engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hosts]:
    """The operators' host holds public keys, no DKIM key, and names no relay."""
    folder = tmp_path_factory.mktemp("hosts")
    with database(engine, folder, request) as url, ScriptedServer() as relay:
        settings = {"VESTKA_RELAYS": f"smtp+insecure://127.0.0.1:{relay.port}"}
        inside = Place(folder, url, {**settings, "VESTKA_LOG_FORMAT": "json"})
        made = inside.command("migrate")
        assert made.returncode == 0, made.stderr
        with users(url, inside) as urls:
            sender = as_user(inside, urls["sender"])
            with serving(sender, "sender"):
                pass  # it makes the keys
            dkim_made = sender.command("dkim", "create", "a1", "--json")
            assert dkim_made.returncode == 0, dkim_made.stderr
            record = json.loads(dkim_made.stdout.splitlines()[-1])["record"]
            desk = Place(folder / "desk", urls["operators"], {"VESTKA_LOG_FORMAT": "json"})
            give_public_keys(folder / "keys", folder / "desk" / "keys")
            desk.environment["VESTKA_PUBLIC_URL"] = inside.environment["VESTKA_PUBLIC_URL"]
            newsletter = Newsletter(desk, relay)
            with serving(desk, "operators"):
                assert newsletter.operator.stores(an_issue(WEEK, "en", "be")).status == 201
                yield Hosts(newsletter, sender, url, record.encode())


@pytest.fixture
def sender(hosts: Hosts) -> Iterator[Process]:
    """The sender runs while the story is told."""
    with serving(hosts.sender, "sender") as (process,):
        yield process


@pytest.fixture(autouse=True)
def relay(hosts: Hosts) -> Iterator[ScriptedServer]:
    yield hosts.newsletter.relay
    hosts.newsletter.relay.behave()


def test_without_a_sender_it_is_said_and_nothing_is_kept(hosts: Hosts) -> None:
    answer = hosts.newsletter.operator.calls("POST", CALL, {"to": [EDITOR]})
    assert answer.status == 503
    assert answer.json()["detail"].startswith("No sender is running")
    assert hosts.rows("SELECT id FROM test_messages") == []
    ran = hosts.newsletter.place.command("issue", "test", WEEK, given=EDITOR.encode())
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "No sender is running" in ran.stderr


def test_a_draft_comes_signed_as_a_real_email_and_marked_as_a_test(
    hosts: Hosts, sender: Process, relay: ScriptedServer
) -> None:
    before = len(relay.messages)
    (told,) = hosts.asks(EDITOR, segment="be-ru")
    assert (told["index"], told["state"], told["sent"]) == (0, "accepted", True)
    assert told["reply_code"] == 250
    (taken,) = relay.messages[before:]
    assert taken.recipients == (EDITOR,)
    message = message_from_bytes(taken.raw, policy=policy.default)
    assert str(message["Subject"]).startswith("[Test] ")
    assert message["To"] == EDITOR
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    signed = dkim.DKIM(taken.raw)
    assert signed.verify(dnsfunc=lambda *_, **__: hosts.record)
    covered = {name.lower() for name in signed.include_headers}
    assert {b"list-unsubscribe", b"list-unsubscribe-post"} <= covered
    assert taken.sender != hosts.sender.environment["VESTKA_FROM"]
    assert hosts.asked_again(told["id"])["state"] == "accepted"


def test_its_address_is_nowhere_once_the_outcome_is_known(hosts: Hosts, sender: Process) -> None:
    told = hosts.asks(EDITOR, f"second.{EDITOR}")
    assert [each["state"] for each in told] == ["accepted", "accepted"]
    eventually(lambda: not any(map(hosts.sealed, told)), "the sealed addresses to be blanked")
    assert len({each["id"] for each in told}) == 2
    looked = 0
    for path in files(hosts.sender.folder):
        assert search(path.read_bytes(), FORMS) == [], path
        looked += 1
    assert looked > 3


def test_what_the_relay_says_is_told_with_its_code(
    hosts: Hosts, sender: Process, relay: ScriptedServer
) -> None:
    relay.on(
        Misdeed("RCPT", containing="nobody@", reply="550 5.1.1 no such user nobody@example.org")
    )
    relay.on(Misdeed("RCPT", containing="grey@", reply="451 4.7.1 come back later"))
    told = hosts.asks("nobody@example.org", EDITOR, "grey@example.net")
    assert [each["state"] for each in told] == ["refused", "accepted", "deferred"]
    assert [each["reply_code"] for each in told] == [550, 250, 451]
    assert told[0]["reply_status"] == "5.1.1"
    assert "nobody" not in str(told)


def test_an_attempt_whose_end_nobody_knows_is_said_and_not_repeated(
    hosts: Hosts, sender: Process, relay: ScriptedServer
) -> None:
    relay.on(Misdeed("DOT", containing=EDITOR, drop="after", times=1))
    before = len(relay.messages)
    (told,) = hosts.asks(EDITOR)
    assert told["state"] == "uncertain"
    assert "not sent again by itself" in str(told["reply"])
    eventually(lambda: not hosts.sealed(told), "the address to be gone: nobody can send it again")
    assert [each.recipients for each in relay.messages[before:]].count((EDITOR,)) == 1
    assert hosts.state(told["id"]) == "uncertain"


def test_a_sender_that_is_killed_at_the_final_dot_does_not_send_twice(
    hosts: Hosts, relay: ScriptedServer
) -> None:
    process = Process(hosts.sender, "sender")
    process.ready()
    relay.on(Misdeed("DOT", containing=EDITOR, delay=60, times=1))
    before = len(relay.messages)
    wish = {"to": [EDITOR], "segment": "en"}
    # The call ends before the relay answers: 202, and an id to ask with.
    answer = hosts.newsletter.operator.calls("POST", CALL, wish)
    (told,) = answer.json()
    assert (answer.status, told["state"]) == (202, "sending")
    process.kill()
    with serving(hosts.sender, "sender"):
        eventually(lambda: hosts.state(told["id"]) == "uncertain", "the doubt to be told")
        eventually(
            lambda: not hosts.sealed(told), "the address to be gone: nobody can send it again"
        )
    assert [each.recipients for each in relay.messages[before:]].count((EDITOR,)) <= 1


def test_its_links_touch_nobody(hosts: Hosts, sender: Process, relay: ScriptedServer) -> None:
    hosts.asks(EDITOR)
    before = hosts.rows("SELECT * FROM subscribers"), hosts.rows("SELECT * FROM deleted_rows")
    raw = relay.messages[-1].raw
    message = message_from_bytes(raw, policy=policy.default)
    link = str(message["List-Unsubscribe"]).strip("<>")
    public = Place(hosts.sender.folder / "outside", hosts.url, {})
    give_public_keys(hosts.sender.folder / "keys", public.folder / "keys")
    public.environment["VESTKA_PUBLIC_URL"] = hosts.sender.environment["VESTKA_PUBLIC_URL"]
    with serving(public, "public"):
        path = link.removeprefix(public.environment["VESTKA_PUBLIC_URL"])
        head = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Host": public.environment["VESTKA_PUBLIC_URL"].removeprefix("http://"),
        }
        body = b"List-Unsubscribe=One-Click"
        assert public.call(public.public_port, "POST", path, body, head).status == 200
    now = hosts.rows("SELECT * FROM subscribers"), hosts.rows("SELECT * FROM deleted_rows")
    assert now == before


def test_the_command_line_says_the_same(
    hosts: Hosts, sender: Process, relay: ScriptedServer
) -> None:
    relay.on(Misdeed("RCPT", containing="nobody@", reply="550 5.1.1 no such user"))
    desk = hosts.newsletter.place
    ran = desk.command("issue", "test", WEEK, "--segment", "en", "--to", EDITOR, "--json")
    assert ran.returncode == 0, ran.stderr
    assert '"accepted"' in ran.stdout
    given = desk.command("issue", "test", WEEK, "--language", "en", given=b"nobody@example.org\n")
    assert given.returncode == 1
    assert "refused" in given.stdout
    assert "550" in given.stdout
    wrong = desk.command("issue", "test", WEEK, "--to", EDITOR, "--to", "not an address")
    assert (wrong.returncode, "address 2" in wrong.stderr) == (2, True)
    for each in (ran, given, wrong):
        assert "sesame" not in each.stdout + each.stderr
        assert "not an address" not in each.stderr


def test_no_log_names_an_address(hosts: Hosts) -> None:
    logs = [log.read_bytes() for log in (*hosts.sender.logs, *hosts.newsletter.place.logs)]
    assert logs
    for each in logs:
        assert b"permission denied" not in each
        assert search(each, FORMS) == []


def test_allowed_recipients_count_for_tests(
    hosts: Hosts, relay: ScriptedServer, tmp_path: Path
) -> None:
    hosts.sender.environment["VESTKA_ALLOWED_RECIPIENTS"] = "colleague@example.org"
    try:
        with serving(hosts.sender, "sender"):
            told = hosts.asks(EDITOR, "colleague@example.org")
    finally:
        del hosts.sender.environment["VESTKA_ALLOWED_RECIPIENTS"]
    assert [each["state"] for each in told] == ["not allowed", "accepted"]
