"""Compression: only for who takes it, always the same bytes, and caches are told."""

import gzip

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse, Response

from app.web.gzip import compressed, takes_gzip
from app.web.http_caching import cacheable

LONG = "вестка " * 400


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()

    @app.get("/{length}")
    def text(request: Request, length: int) -> Response:
        answer = PlainTextResponse(LONG[:length], headers={"X-More": "kept"})
        return cacheable(request, compressed(request, answer), changed=None)

    return TestClient(app)


def test_who_takes_gzip_gets_less_of_the_same(client: TestClient) -> None:
    packed = client.get("/2000", headers={"Accept-Encoding": "br, gzip"})
    plain = client.get("/2000", headers={"Accept-Encoding": "identity"})
    assert packed.text == plain.text == LONG[:2000]
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 5
    assert packed.headers["x-more"] == plain.headers["x-more"] == "kept"
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] != plain.headers["etag"], "RFC 9110 §8.8.3.3"


def test_what_was_kept_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/2000")
    headers = {"If-None-Match": first.headers["etag"]}
    again = client.get("/2000", headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["vary"] == "Accept-Encoding"


def test_little_is_sent_as_it_is(client: TestClient) -> None:
    assert "content-encoding" not in client.get("/20").headers


def test_the_time_is_no_part_of_the_bytes() -> None:
    assert gzip.compress(b"x" * 2000, mtime=0)[4:8] == bytes(4)


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ("gzip", True),
        ("br;q=1, GZIP;q=0.5", True),
        ("gzip; q=1.000", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzipped", False),
        ("br", False),
        ("", False),
    ],
)
def test_what_a_client_takes(accepted: str, taken: bool) -> None:  # noqa: FBT001 - a case
    assert takes_gzip(accepted) is taken
