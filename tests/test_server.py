"""Both apps as a whole: who must show a key, and that looking changes nothing."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.addresses.keyring import Keyring
from app.database import Database
from app.operators_server import create_operators
from app.public_server import create_public
from app.subscribers.models import ServiceMessage
from app.subscribers.service_message_kinds import CONFIRMATION, MANAGE_LINK
from app.subscribers.service_messages import ask_to_confirm, send_manage_link
from app.subscribers.service_messages import token_of as token_from
from app.web.context import AppContext
from tests.support.builders import WEEK, a_subscriber, everything, visitor
from tests.support.clock import MONDAY

WITHOUT_KEY = {"/health/live", "/health/ready"}


def calls(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Yield method and path of every call in the app's own description."""
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            yield method.upper(), path


def filled(path: str, **values: str) -> str:
    known = {"week": "2025-W04", "segment": "en", "mailing_id": "1", "token": "x", **values}
    known |= {"photo_id": "0" * 64, "name": "0.jpg", "version": "1", "test_id": "0" * 32}
    return path.format_map(known)


def test_every_operators_call_demands_a_key(installation: AppContext) -> None:
    app = create_operators(installation)
    client = visitor(app)
    seen = 0
    for method, path in calls(app):
        if path in WITHOUT_KEY:
            continue
        seen += 1
        for headers in ({}, {"Authorization": "Bearer vk_x"}, {"Authorization": "Basic eDp4"}):
            answer = client.request(method, filled(path), headers=headers)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == "Bearer"
    assert seen > 15


def test_every_route_is_described(installation: AppContext) -> None:
    for app in (create_public(installation), create_operators(installation)):
        routes = [route for route in app.routes if isinstance(route, APIRoute)]
        assert all(route.include_in_schema for route in routes)


def test_the_readers_port_has_no_operators_call(readers: TestClient) -> None:
    for path in ("/v1/issues", "/v1/mailings", "/v1/segments", "/v1/audit", "/v1/keys"):
        assert readers.get(path).status_code == 404


def links(database: Database, keyring: Keyring) -> list[str]:
    """Make every link that a reader may hold."""
    with database.transaction() as session:
        reader = a_subscriber(session, keyring, segments=("en", "be-ru"))
        ask_to_confirm(session, keyring, reader.id, ["en"], "en", MONDAY.date())
        send_manage_link(session, keyring, reader.id, "en", MONDAY)
        session.flush()
        nonces: dict[str, Any] = {
            message.kind: message.nonce for message in session.scalars(select(ServiceMessage))
        }
    return [
        f"/confirm/{token_from(keyring, CONFIRMATION, nonces[CONFIRMATION])}",
        f"/manage/{token_from(keyring, MANAGE_LINK, nonces[MANAGE_LINK])}",
        f"/unsubscribe/{keyring.links.unsubscribe(reader.link_id, WEEK.number, 'en')}",
    ]


def test_looking_changes_nothing(
    database: Database, keyring: Keyring, installation: AppContext
) -> None:
    app = create_public(installation)
    client = visitor(app)
    held = links(database, keyring)
    plain = [filled(path) for method, path in calls(app) if method == "GET"]
    assert len(plain) > 10
    before = everything(database)
    for path in [*held, *plain]:
        for method in ("GET", "HEAD", "OPTIONS"):
            for query in ("", "?language=be", "?List-Unsubscribe=One-Click&action=erase&sure=1"):
                answer = client.request(method, path + query)
                assert answer.status_code < 500
                assert "set-cookie" not in answer.headers
    assert everything(database) == before
    assert [client.get(path).status_code for path in held] == [200, 200, 200]
    assert [client.post(path).status_code for path in held] == [303, 200, 303]


def test_no_answer_holds_a_token_s_referer(readers: TestClient) -> None:
    for path in ("/confirm/x", "/unsubscribe/x", "/manage/x"):
        answer = readers.get(path)
        assert answer.status_code == 404
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"


def test_only_named_origins_may_call(installation: AppContext) -> None:
    installation.settings.read_values["allowed_origins"] = ("https://www.example.org",)
    client = visitor(create_public(installation))
    asked = {"Access-Control-Request-Method": "POST", "Origin": "https://www.example.org"}
    answer = client.options("/v1/subscriptions", headers=asked)
    assert answer.headers["access-control-allow-origin"] == "https://www.example.org"
    answer = client.options("/v1/subscriptions", headers={**asked, "Origin": "https://e.example"})
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-credentials" not in answer.headers
