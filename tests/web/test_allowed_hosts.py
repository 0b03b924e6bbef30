"""A port answers to its own names only: whoever comes by another's gets nothing of it."""

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.operators_server import create_operators
from app.public_server import create_public
from app.web.allowed_hosts import AllowedHosts
from app.web.context import AppContext
from tests.support.builders import PUBLIC_URL

APP = AllowedHosts(
    Starlette(routes=[Route("/", lambda _: PlainTextResponse("ours"), methods=["GET", "POST"])]),
    names=("news.example.org", "::9"),
)


def asked(host: str, server: str = "https://192.0.2.8") -> int:
    client = TestClient(APP, base_url=server, headers={"Host": host})
    return client.get("/").status_code


@pytest.mark.parametrize(
    "host",
    [
        "news.example.org",
        "NEWS.Example.ORG",
        "news.example.org:8443",
        "news.example.org.",
        "[::9]:80",
        "127.0.0.1:8000",
        "localhost",
        "[::1]",
        "192.0.2.8",  # the address that was called
    ],
)
def test_our_own_names_are_served(host: str) -> None:
    assert asked(host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.com",
        "news.example.org.evil.example.com",
        "evil-news.example.org",
        "127.0.0.1.evil.example.com",
        "192.0.2.9",
        "0.0.0.0",
        "[::2]",
    ],
)
def test_a_foreign_name_is_misdirected(host: str) -> None:
    assert asked(host) == 421


@pytest.mark.parametrize(
    "host", ["", "a b", "news.example.org/path", "x@news.example.org", "news.example.org:port", "."]
)
def test_what_is_no_host_is_a_bad_request(host: str) -> None:
    assert asked(host) == 400


def test_two_hosts_are_a_bad_request() -> None:
    two = [("Host", "news.example.org"), ("Host", "news.example.org")]
    client = TestClient(APP, base_url="https://192.0.2.8")
    assert client.get("/", headers=two).status_code == 400


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_no_other_text_passes(host: str) -> None:
    bare = host.lower().partition(":")[0].rstrip(".")
    ours = bare in ("news.example.org", "localhost", "192.0.2.8")
    ours = ours or bare.startswith("127.") or bare.endswith(".localhost") or "[" in host
    assert ours or asked(host) in (400, 421)


def test_both_ports_and_every_path_refuse_unread(installation: AppContext) -> None:
    for app in (create_public(installation), create_operators(installation)):
        client = TestClient(app, base_url=PUBLIC_URL, headers={"Host": "evil.example.com"})
        for path in (
            "/form",
            "/v1/subscriptions",
            "/health/live",
            "/static/vestka.css",
            "/v1/keys",
        ):
            answer = client.post(path, content=b"x")
            assert answer.status_code == 421
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "evil" not in answer.text
