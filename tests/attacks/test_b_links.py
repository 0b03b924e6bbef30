"""Attacks B: links looked at, cut, mixed up, forwarded, used twice and used at once."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.addresses.keyring import Keyring
from app.database import Database
from app.subscribers.models import ServiceMessage, Subscriber
from app.subscribers.service_message_kinds import CONFIRMATION
from app.subscribers.service_messages import ask_to_confirm
from app.subscribers.service_messages import token_of as token_from
from tests.attacks.links import ADDRESS, KINDS, Links, links_of_a_reader
from tests.support.builders import everything
from tests.support.clock import MONDAY, SetClock

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
PREFETCHING: tuple[dict[str, str], ...] = (
    {},
    {"Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"X-Moz": "prefetch"},
)


@pytest.fixture
def links(database: Database, keyring: Keyring) -> Links:
    return links_of_a_reader(database, keyring)


def test_b1_looking_twenty_times_changes_nothing(
    database: Database, readers: TestClient, links: Links
) -> None:
    before = everything(database)
    for path in links.paths:
        for number in range(20):
            for method in ("GET", "HEAD", "OPTIONS"):
                headers = PREFETCHING[number % len(PREFETCHING)]
                answer = readers.request(method, path, headers=headers)
                assert answer.status_code == 200 or method == "OPTIONS"
                assert "set-cookie" not in answer.headers
    assert everything(database) == before


@pytest.mark.parametrize("multipart", [True, False])
def test_b2_one_click_needs_nothing_but_the_link(
    database: Database, readers: TestClient, links: Links, *, multipart: bool
) -> None:
    path = links.path("unsubscribe")
    for _ in range(2):
        if multipart:
            answer = readers.post(path, files={"List-Unsubscribe": (None, "One-Click")})
        else:
            answer = readers.post(path, data=ONE_CLICK)
        assert answer.status_code == 200
        assert "location" not in answer.headers
        assert "set-cookie" not in answer.headers
        assert [row[1] for row in everything(database)["subscriptions"]] == ["be-ru"]


def test_b4_leaving_twice_looks_the_same_and_ends_the_other_links(
    database: Database, readers: TestClient, links: Links
) -> None:
    leave = links.path("unsubscribe")
    first = readers.post(leave, data={"everything": "1"})
    again = readers.post(leave, data={"everything": "1"})
    assert (first.status_code, dict(first.headers)) == (again.status_code, dict(again.headers))
    assert everything(database)["subscribers"] == []
    for kind in ("confirm", "manage"):
        assert readers.get(links.path(kind)).status_code == 404
        assert readers.post(links.path(kind)).status_code == 404


def test_b5_no_token_serves_another_purpose(
    database: Database, readers: TestClient, links: Links
) -> None:
    before = everything(database)
    for own, token in links.tokens.items():
        for kind in KINDS:
            if kind == own:
                continue
            for spelled in (token, token.removeprefix("b-").upper()):
                path = f"/{kind}/{spelled}"
                body = {**ONE_CLICK, "action": "erase", "sure": "1"}
                assert readers.get(path).status_code == 404, (own, kind)
                assert readers.post(path, data=body).status_code == 404, (own, kind)
    assert everything(database) == before


def _spoilt(token: str) -> list[str]:
    """Every character changed in its low, middle or high bits; cut, grown, and nonsense."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    changed = [
        token[:place] + alphabet[alphabet.index(char) ^ (1 << place % 6)] + token[place + 1 :]
        for place, char in enumerate(token)
    ]
    other = [token[:-1], token[:-4], token[1:], f"{token}A", f"{token}=", token * 120]
    return [*changed, *other, f"{token}%00", f"{token}%2e%2e", "%D0%96" * 20, token.swapcase()]


def test_b6_a_spoilt_token_is_unknown(
    database: Database, readers: TestClient, links: Links
) -> None:
    before = everything(database)
    for kind in KINDS:
        token = links.tokens[kind]
        unknown = readers.get(f"/{kind}/{'A' * len(token)}")
        for spoilt in _spoilt(token):
            answer = readers.get(f"/{kind}/{spoilt}")
            assert (answer.status_code, answer.content) == (404, unknown.content), spoilt
        for spoilt in _spoilt(token)[::5]:
            assert readers.post(f"/{kind}/{spoilt}", data=ONE_CLICK).status_code == 404
        assert readers.get(f"/{kind}/..%2f..%2fetc").status_code == 404
    assert everything(database) == before


def test_b9_an_old_confirmation_is_dead(
    database: Database, keyring: Keyring, readers: TestClient, links: Links, clock: SetClock
) -> None:
    """Both of one reader: the one a newer has replaced, and the one whose time is over."""
    older = links.path("confirm")
    tomorrow = (MONDAY + timedelta(days=1)).date()
    with database.transaction() as session:
        reader = session.scalars(select(Subscriber)).one()
        assert ask_to_confirm(session, keyring, reader.id, ["be-ru"], "be", tomorrow)
        session.flush()
        messages = select(ServiceMessage.nonce).where(ServiceMessage.kind == CONFIRMATION)
        nonce = session.scalars(messages).one()
    newer = f"/confirm/{token_from(keyring, CONFIRMATION, nonce)}"
    assert readers.post(older).status_code == 404
    assert readers.get(newer).status_code == 200
    clock.go_on(days=1, hours=72, seconds=1)
    assert readers.get(newer).status_code == readers.post(newer).status_code == 404


def test_b10_acts_at_once_have_one_effect(
    database: Database, readers: TestClient, links: Links
) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(readers.post, [links.path("confirm")] * 4))
    assert {answer.status_code for answer in answers} == {303}
    targets = sorted(answer.headers["location"].partition("?")[0] for answer in answers)
    assert targets == ["/already-done"] * 3 + ["/confirmed"]

    def leave(path: str) -> int:
        return readers.post(path, data={"everything": "1"}).status_code

    paths = [links.path("confirm"), links.path("unsubscribe")] * 3
    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(leave, paths))
    assert set(statuses) <= {303, 404}, "and never a 500"
    assert everything(database)["subscribers"] == []


def test_b11_a_manage_link_lives_half_an_hour_and_starts_no_session(
    readers: TestClient, links: Links, clock: SetClock
) -> None:
    path = links.path("manage")
    for answer in (readers.get(path), readers.post(path, data={"action": "download"})):
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    clock.go_on(minutes=30)
    assert readers.get(path).status_code == 404
    assert readers.post(path, data={"action": "erase", "sure": "1"}).status_code == 404
    assert readers.get("/manage").status_code == 200


def pages(readers: TestClient, links: Links) -> list[tuple[str, str]]:
    """Every page that a reader may meet, with its path."""
    notices = (
        "accepted",
        "confirmed",
        "already-done",
        "unsubscribed",
        "erased",
        "manage-requested",
    )
    paths = [*links.paths, *(f"/{name}" for name in notices), "/form", "/manage", "/confirm/x"]
    found = [(path, readers.get(path).text) for path in paths]
    form = {"email": f"{ADDRESS} ", "segments": "nobody"}
    return [*found, ("/v1/subscriptions", readers.post("/v1/subscriptions", data=form).text)]


def test_b12_no_page_shows_an_address_or_a_part_of_one(readers: TestClient, links: Links) -> None:
    local, _, domain = ADDRESS.partition("@")
    for path, html in pages(readers, links):
        for part in (local, local[:4], domain, f"{local[0]}***"):
            assert part not in html, path
        assert not re.search(r"\*{2,}@|…@|•@", html), path


def test_b14_token_pages_are_kept_and_named_nowhere(readers: TestClient, links: Links) -> None:
    own = {"href", "src", "action"}
    for path in links.paths:
        for answer in (readers.get(path), readers.head(path)):
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "noindex" in answer.headers["x-robots-tag"]
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
        html = readers.get(path).text
        loaded = re.findall(r"<(?:link|script|img|iframe|form)\b[^>]*>", html)
        assert loaded
        for tag in loaded:
            named = [value for name, value in re.findall(r'(\w+)="([^"]*)"', tag) if name in own]
            assert all(not re.match(r"(?:\w+:)?//", value) for value in named), (path, tag)
