"""Promise 1: no address is readable at rest, nor in any answer or log line, in any encoding."""

import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import psycopg
import pytest

from tests.journeys.conftest import Opening
from tests.support.bounces import a_bounce
from tests.support.newsletter import Newsletter, an_issue
from tests.support.service import eventually
from tests.support.smtpd import Misdeed
from tests.support.traces import files, search, traces

# No other test's word: they share a database server, and some words may stand there.
WORD = "wzqxkvjhgp"
ADMITTED = f"ann.{WORD}@example.org"
REFUSED = f"ben.{WORD}@example.org"
LEAVING = f"cyn.{WORD}@example.org"
PENDING = f"Dan.{WORD}@example.org"
FAILED = f"eve.{WORD}@example.org"
EDITOR = f"desk.{WORD}@example.org"
UNKNOWN = f"nobody.{WORD}@example.org"
WANTED = traces(WORD, (ADMITTED, REFUSED, LEAVING, PENDING, FAILED, EDITOR, UNKNOWN))


@pytest.fixture(scope="module")
def lived(opening: Opening) -> Iterator[Newsletter]:
    """A newsletter that went through a full cycle, good and bad, and still runs."""
    with opening(VESTKA_ALERTS_TO="alerts@example.org", VESTKA_LOG_FORMAT="json") as newsletter:
        _live(newsletter)
        yield newsletter


def _live(newsletter: Newsletter) -> None:
    reader, operator, relay = newsletter.reader, newsletter.operator, newsletter.relay
    echo = f"5.1.1 <{REFUSED}>: Recipient address rejected: {REFUSED}"
    for address in (ADMITTED, REFUSED, LEAVING):
        reader.is_confirmed(address, ["en", "be-ru"], "be")
    relay.on(Misdeed("RCPT", REFUSED, reply=f"550 {echo}"))
    assert reader.subscribes(PENDING, ["en"]).status == 202
    assert reader.subscribes(ADMITTED, ["en"]).status == 202
    assert reader.subscribes(f"{FAILED}\r\nBcc: {FAILED}", ["en"]).status == 422
    assert reader.subscribes(FAILED, [FAILED]).status == 422
    assert reader.posts_json("/v1/subscriptions", {"email": FAILED, FAILED: FAILED}).status == 422
    assert reader.posts_form("/v1/subscriptions", [("email", FAILED)]).status == 422
    for path in (f"/{FAILED}", f"/confirm/{FAILED}", f"/form?language={quote(FAILED)}"):
        reader.sends("GET", path)
    for address in (ADMITTED, UNKNOWN):
        assert reader.asks_for_manage_link(address).status == 202
    link = reader.gets_message(ADMITTED, "manage").link("manage")
    reader.sends("GET", link)
    reader.presses(link)
    reader.sends("POST", link, b"action=download", "application/x-www-form-urlencoded")
    newsletter.settles()
    relay.on(Misdeed("RCPT", ADMITTED, reply=f"450 4.2.0 <{ADMITTED}>: try again later"))
    mailing = operator.publishes(an_issue("2024-W40", "en"), "en")
    operator.waits(
        mailing,
        lambda seen: seen["sent"] == 1 and seen["failed"] == 1 and seen["deferred"] == 1,
        "the mailing to have met its troubles",
    )
    wish = {"to": [EDITOR, REFUSED], "segment": "en"}
    tested = operator.calls("POST", "/v1/issues/2024-W40/test-letters", wish)
    assert [row["sent"] for row in tested.json()] == [True, False]
    (message,) = newsletter.issues_to(LEAVING)
    said = f"554 5.7.1 <{LEAVING}>: no user cyn.{WORD} at mx.{WORD}.example.com; blocked"
    bounce = a_bounce(message.received.sender, LEAVING, said, message.raw)
    parsed = {"Content-Type": "message/rfc822"}
    assert operator.calls("POST", "/v1/bounces", bounce, headers=parsed).status == 200
    operator.sees(f"/v1/mailings/{mailing}/outcomes")
    assert reader.unsubscribes_by_one_click(message).status == 200
    # Our own set-up refused three times, with an address in the reply: the operators are told.
    relay.on(Misdeed("MAIL", reply=f"530 5.7.0 <{ADMITTED}>: authentication required", times=3))
    for number in range(3):
        reader.subscribes(f"other{number}@example.com", ["en"])
    eventually(lambda: operator.sees("/v1/alerts"), "an alert")
    for path in ("/v1/audit", "/v1/alerts", "/v1/keys", "/v1/mailings", "/v1/segments"):
        operator.sees(path)


def test_c1_no_file_of_the_installation_holds_an_address(lived: Newsletter) -> None:
    looked_at = 0
    for path in files(lived.place.folder):
        content = path.read_bytes()
        looked_at += len(content)
        assert search(content, WANTED) == [], path.relative_to(lived.place.folder)
    assert looked_at > 1000


def test_c1_no_answer_holds_an_address(lived: Newsletter) -> None:
    assert len(lived.place.answers) > 30
    for answer in lived.place.answers:
        content = answer.body + repr(answer.headers).encode()
        assert search(content, WANTED) == [], answer.text[:300]


def test_c1_no_file_of_the_database_server_holds_an_address(lived: Newsletter, engine: str) -> None:
    if engine == "sqlite":
        pytest.skip("the database is a file of the installation")
    url = lived.place.environment["VESTKA_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    host = parse_qs(urlsplit(url).query).get("host", [""])[0]
    folders = [Path(row[0])] if not host.startswith("/") else [Path(host)]
    if not folders[0].is_dir():
        pytest.skip("the server's files are out of reach")
    looked_at = 0
    for path in files(*folders):
        content = path.read_bytes()
        looked_at += len(content)
        assert search(content, WANTED) == [], path.name
    assert looked_at > 1_000_000


@pytest.mark.parametrize("name", ["plain", "base64 1", "UTF-16 LE", "hex", "sha256 0"])
def test_the_search_finds_what_is_there(lived: Newsletter, tmp_path: Path, name: str) -> None:
    """Otherwise the tests above would say nothing: plant one in a copy, as others would keep it."""
    whole = ADMITTED.encode()
    planted = {
        "plain": whole,
        "base64 1": base64.b64encode(b"12345678<ann." + WORD.encode() + b"@"),
        "UTF-16 LE": ADMITTED.encode("utf-16-le"),
        "hex": whole.hex().encode(),
        "sha256 0": WANTED["sha256 0"],
    }
    some = next(path for path in files(lived.place.folder) if path.stat().st_size > 100)
    copy = tmp_path / "copy"
    copy.write_bytes(some.read_bytes() + planted[name] + some.read_bytes())
    assert name in search(copy.read_bytes(), WANTED)


def test_the_search_knows_base64_at_every_place() -> None:
    for before in range(9):
        encoded = base64.b64encode(b"x" * before + ADMITTED.encode())
        assert any(each.startswith("base64") for each in search(encoded, WANTED))
