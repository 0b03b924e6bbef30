"""Other websites: those allowed may call, and what everyone may read does not vary by who asks."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.web.cors import Cors, origin_of

SITE = "https://www.example.org"
OTHER = "https://other.example.com"


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.add_middleware(Cors, allowed=(SITE,), same=("/open",))

    @app.get("/open/page")
    def page() -> str:
        return "page"

    @app.post("/form")
    def form() -> str:
        return "taken"

    return TestClient(app)


def test_an_allowed_website_may_call(client: TestClient) -> None:
    assert client.post("/form", headers={"Origin": SITE}).headers[
        "access-control-allow-origin"
    ] == (SITE)
    asked = {"Origin": SITE, "Access-Control-Request-Method": "POST"}
    assert client.options("/form", headers=asked).status_code == 200


def test_another_may_not(client: TestClient) -> None:
    said = client.post("/form", headers={"Origin": OTHER}).headers
    assert "access-control-allow-origin" not in said
    asked = {"Origin": OTHER, "Access-Control-Request-Method": "POST"}
    assert client.options("/form", headers=asked).status_code == 400


@pytest.mark.parametrize("headers", [{}, {"Origin": SITE}, {"Origin": OTHER}])
def test_what_is_the_same_for_everyone_does_not_vary(
    client: TestClient, headers: dict[str, str]
) -> None:
    answer = client.get("/open/page", headers=headers)
    assert answer.json() == "page"
    assert "vary" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers


def test_the_rest_varies_with_who_asks(client: TestClient) -> None:
    assert client.post("/form").headers["vary"] == "Origin"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://www.example.org", "https://www.example.org"),
        ("https://Example.org:443/be/?x=y#z", "https://example.org"),
        ("https://example.org:8443/", "https://example.org:8443"),
        ("http://localhost:80/", "http://localhost"),
    ],
)
def test_an_address_has_an_origin(url: str, origin: str) -> None:
    assert origin_of(url) == origin
