"""Attacks A: signing somebody up, finding out who is, and bombing an inbox."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.addresses.address import EmailAddress
from app.addresses.blind_index import never_indexes
from app.addresses.keyring import Keyring
from app.database import Database
from app.public_server import create_public
from app.subscribers.models import PENDING
from app.subscribers.unsubscription import ERASED, end
from app.suppressions.reasons import NEVER
from app.suppressions.suppressing import suppress
from app.web.context import AppContext
from tests.attacks.links import links_of_a_reader
from tests.support.builders import NEWSLETTER, PUBLIC_URL, a_subscriber, everything, visitor
from tests.support.clock import MONDAY

KINDS = ("new", "pending", "confirmed", "erased", "suppressed")


@pytest.fixture
def known(database: Database, keyring: Keyring) -> None:
    """One address of each kind but the new."""
    with database.transaction() as session:
        a_subscriber(session, keyring, "pending@example.org", state=PENDING)
        a_subscriber(session, keyring, "confirmed@example.org", segments=("en", "be-ru"))
        left = a_subscriber(session, keyring, "erased@example.org")
        objected = EmailAddress("suppressed@example.org")
        suppress(session, never_indexes(keyring.never, objected), NEVER, until=None)
        end(session, left.id, None, ERASED, today=MONDAY.date())


@pytest.mark.parametrize("form", [True, False])
@pytest.mark.parametrize("path", ["/v1/subscriptions", "/v1/manage-links"])
def test_a1_nobody_learns_whether_an_address_is_known(
    known: None, database: Database, readers: TestClient, path: str, *, form: bool
) -> None:
    seen = []
    for kind in KINDS:
        wish: dict[str, Any] = {"email": f"{kind}@example.org"}
        if path == "/v1/subscriptions":
            wish["segments"] = "en" if form else ["en"]
        answer = readers.post(path, data=wish) if form else readers.post(path, json=wish)
        assert answer.status_code == (303 if form else 202)
        seen.append((answer.status_code, sorted(answer.headers.items()), answer.content))
    assert all(each == seen[0] for each in seen)
    assert len(everything(database)["sign_ups"]) == len(KINDS), "and all do the same work"


def test_a5_a_flood_from_one_network_is_stopped_and_leaving_is_not(
    installation: AppContext, database: Database, keyring: Keyring
) -> None:
    unsubscribe = links_of_a_reader(database, keyring).path("unsubscribe")
    app = create_public(installation)

    def caller(address: str) -> TestClient:
        return TestClient(app, base_url=PUBLIC_URL, client=(address, 1), follow_redirects=False)

    flood = caller("203.0.113.5")
    got = [
        flood.post(
            "/v1/subscriptions", json={"email": f"v{number}@example.org", "segments": ["en"]}
        ).status_code
        for number in range(500)
    ]
    assert got == [202] * 20 + [429] * 480
    body = {"List-Unsubscribe": "One-Click"}
    assert flood.post(unsubscribe, data=body).status_code == 200
    assert flood.get("/form").status_code == 200
    wish = {"email": "ann@example.org", "segments": ["en"]}
    assert caller("203.0.113.6").post("/v1/subscriptions", json=wish).status_code == 202


REFUSED = [
    "a@x.org\r\nBcc: v@x.org",
    "a@x.org\n",
    "a@x.org\x00",
    "a@x.org,b@x.org",
    "Bob <a@x.org>",
    '"a b"@x.org',
    "a@[127.0.0.1]",
    "a@localhost",
    "a\u200b@x.org",
    "a" * 65 + "@x.org",
    "a" * 60 + "@" + ".".join(["d" * 48] * 4) + ".org",
    "-f@x.org",
    "",
]


@pytest.mark.parametrize("path", ["/v1/subscriptions", "/v1/manage-links"])
def test_a6_what_is_no_address_is_refused_and_not_repeated(
    database: Database, readers: TestClient, path: str
) -> None:
    more = {"segments": ["en"]} if path == "/v1/subscriptions" else {}
    for email in REFUSED:
        answer = readers.post(path, json={"email": email, **more})
        assert answer.status_code == 422, email
        assert [error["field"] for error in answer.json()["errors"]] == ["email"]
        assert "x.org" not in answer.text
    assert everything(database)["sign_ups"] == []


GOOD = b'"segments":["en"]'
BODIES: dict[str, tuple[str, bytes]] = {
    "one megabyte": ("application/json", b'{"email":"' + b"a" * (1 << 20) + b'"}'),
    "as deep as fits": ("application/json", b"[" * 8_000 + b"]" * 8_000),
    "deep inside": ("application/json", b'{"email":' + b"[" * 7_000 + b"]" * 7_000 + b"}"),
    "a list of addresses": ("application/json", b'{"email":["a@x.org"],' + GOOD + b"}"),
    "invalid UTF-8": ("application/json", b'{"email":"\xff\xfe@x.org",' + GOOD + b"}"),
    "a lone surrogate": ("application/json", b'{"email":"\\ud800@x.org",' + GOOD + b"}"),
    "one as a segment": ("application/json", b'{"email":"a@x.org","segments":["\\ud800"]}'),
    "one as a field": ("application/json", b'{"email":"a@x.org","\\ud800":1,' + GOOD + b"}"),
    "plain text": ("text/plain", b'{"email":"a@x.org",' + GOOD + b"}"),
    "a number": ("application/json", b"1e999999"),
    "nothing": ("application/json", b""),
    "a form of junk": ("application/x-www-form-urlencoded", b"%ff=%ff&email=%00"),
    "a broken form": ("multipart/form-data; boundary=x", b"--x\r\n\r\n"),
    "in another encoding": ("application/json; charset=utf-16", b"\xfe\xff\x00{"),
}


def test_a8_no_body_breaks_anything(database: Database, readers: TestClient) -> None:
    for case, (media, body) in BODIES.items():
        for path in ("/v1/subscriptions", "/v1/manage-links"):
            answer = readers.post(path, content=body, headers={"Content-Type": media})
            assert answer.status_code in (400, 413, 415, 422), case
            assert "x.org" not in answer.text
    assert everything(database)["sign_ups"] == []


def test_a8_a_key_given_twice_is_one_address_at_most(
    database: Database, readers: TestClient
) -> None:
    body = b'{"email":"a@example.org","email":"b@example.org","segments":["en"]}'
    headers = {"Content-Type": "application/json"}
    assert readers.post("/v1/subscriptions", content=body, headers=headers).status_code < 500
    assert len(everything(database)["sign_ups"]) <= 1
    form = b"email=a@example.org&email=b@example.org&segments=en"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert readers.post("/v1/subscriptions", content=form, headers=headers).status_code == 422


def test_a9_other_websites_get_no_leave_to_call(installation: AppContext) -> None:
    site = "https://www.example.org"
    installation.settings.read_values["allowed_origins"] = (site,)
    client = visitor(create_public(installation))
    for origin in (site, "https://evil.example.com", "null", f"{site}.evil.example.com"):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        for answer in (
            client.options("/v1/subscriptions", headers=asked),
            client.post("/v1/subscriptions", json={}, headers={"Origin": origin}),
        ):
            allowed = answer.headers.get("access-control-allow-origin")
            assert allowed == (site if origin == site else None)
            assert "access-control-allow-credentials" not in answer.headers


def test_a10_a_filled_trap_is_answered_like_any_other_and_forgotten(
    database: Database, readers: TestClient
) -> None:
    wish = {"email": "ann@example.org", "segments": ["en"]}
    trapped = readers.post("/v1/subscriptions", json={**wish, "website": "https://spam.example"})
    assert everything(database)["sign_ups"] == []
    honest = readers.post("/v1/subscriptions", json=wish)
    assert (trapped.status_code, trapped.content) == (honest.status_code, honest.content)
    assert dict(trapped.headers) == dict(honest.headers)


def test_a11_there_is_no_hidden_segment_to_sign_up_for(
    database: Database, readers: TestClient
) -> None:
    shown = readers.get("/form").text
    assert all(f'value="{segment.id}"' in shown for segment in NEWSLETTER.segments)
    for name in ("staff", "en x", "en\x00", "*", "en,be-ru", "2025-W04"):
        wish = {"email": "ann@example.org", "segments": [name]}
        assert readers.post("/v1/subscriptions", json=wish).status_code == 422
    assert everything(database)["sign_ups"] == []
