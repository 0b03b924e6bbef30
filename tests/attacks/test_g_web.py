"""Attacks G and I: queries made of what was sent, lying caches, readers watched or led away."""

from fastapi.testclient import TestClient

from app.addresses.keyring import Keyring
from app.database import Database
from app.tables import METADATA
from tests.archive.rows import sent
from tests.attacks.links import links_of_a_reader
from tests.support.builders import everything

INJECTED = (
    "'",
    '"',
    "1 OR 1=1",
    "';DROP TABLE subscribers;--",
    "id) UNION SELECT sealed--",
    "\x00",
)
LISTS = (
    "/v1/audit?before={}",
    "/v1/issues/{}",
    "/v1/mailings/{}",
    "/v1/mailings?order={}&sort={}&filter={}",
    "/v1/segments?order_by={}",
    "/v1/alerts?where={}",
)
FORGED = {
    "X-Forwarded-Host": "evil.example.com",
    "X-Forwarded-Proto": "http",
    "X-Original-URL": "/v1/issues",
    "X-Rewrite-URL": "/v1/issues",
    "X-HTTP-Method-Override": "DELETE",
    "Forwarded": "host=evil.example.com;proto=http",
    "Accept-Language": "ru",
    "Cookie": "language=ru; preview=1",
}


def test_g7_nothing_that_is_sent_becomes_a_part_of_a_query(
    database: Database, operators: TestClient
) -> None:
    before = everything(database)
    for path in LISTS:
        plain = operators.get(path.replace("{}", "1"))
        for injected in INJECTED:
            answer = operators.get(path.replace("{}", "%" + "%".join(_hex(injected))))
            assert answer.status_code in (plain.status_code, 404, 422), path
            assert "sqlite" not in answer.text.lower()
            assert "psycopg" not in answer.text.lower()
    assert everything(database) == before


def _hex(sent: str) -> list[str]:
    return [f"{octet:02x}" for octet in sent.encode()]


def test_g8_no_header_changes_what_everyone_is_shown(
    database: Database, readers: TestClient
) -> None:
    with database.transaction() as session:
        sent(session)
    for path in ("/archive/en/2025-W04", "/archive/be-ru/feed.xml", "/v1/situation"):
        plain = readers.get(path)
        assert plain.status_code == 200
        for name, value in FORGED.items():
            forged = readers.get(path, headers={name: value})
            assert (forged.status_code, forged.content) == (200, plain.content), name
            assert dict(forged.headers) == dict(plain.headers), name


WATCHING = {
    "opened",
    "open",
    "clicks",
    "clicked",
    "read",
    "seen",
    "ip",
    "agent",
    "referer",
    "email",
}


def test_i1_there_is_no_column_to_watch_readers_in() -> None:
    for table in METADATA.sorted_tables:
        assert not WATCHING & {column.name for column in table.columns}, table.name


def test_i2_no_answer_leads_to_another_host(
    database: Database, readers: TestClient, keyring: Keyring
) -> None:
    links = links_of_a_reader(database, keyring)
    elsewhere = "https://evil.example.com/"
    queries = ("next", "redirect", "url", "return_to")
    query = "?" + "&".join(f"{name}={elsewhere}" for name in queries)
    form = {"email": "ann@example.org", "segments": "en"}
    answers = [
        readers.post("/v1/subscriptions" + query, data=form),
        readers.post("/v1/subscriptions", data={**form, "language": "be"}),
        *(readers.post(links.path(kind) + query) for kind in ("confirm", "unsubscribe", "never")),
        readers.get("//evil.example.com/%2e%2e"),
    ]
    led = [answer.headers["location"] for answer in answers if "location" in answer.headers]
    assert len(led) >= 4
    assert all(target.startswith("/") and not target.startswith("//") for target in led)
    assert not any("evil" in target for target in led)
