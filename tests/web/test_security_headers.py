"""Every answer is guarded: pages, problems, refusals of compressed bodies."""

from fastapi.testclient import TestClient

from app.public_server import create_public
from app.web.context import AppContext
from app.web.security_headers import HEADERS
from tests.support.builders import visitor

PREFLIGHT = {"Origin": "https://other.example", "Access-Control-Request-Method": "POST"}


def test_every_answer_is_guarded(readers: TestClient, operators: TestClient) -> None:
    answers = [
        readers.get("/form"),
        readers.get("/nowhere"),
        readers.post("/v1/subscriptions", json={}),
        readers.get("/static/vestka.css"),
        readers.get("/health/live"),
        readers.options("/v1/subscriptions", headers=PREFLIGHT),
        operators.get("/v1/issues"),
        operators.get("/v1/issues", headers={"Authorization": ""}),
    ]
    for answer in answers:
        assert {name.decode() for name, _ in HEADERS} <= set(answer.headers)
        assert "max-age" in answer.headers["strict-transport-security"]
        assert "set-cookie" not in answer.headers
        assert "server" not in answer.headers


def test_a_compressed_body_is_not_unpacked(readers: TestClient) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = readers.post("/v1/subscriptions", content=b"\x1f\x8b", headers=headers)
    assert answer.status_code == answer.json()["status"] == 415
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_answer_to_what_broke_is_guarded_too(installation: AppContext) -> None:
    app = create_public(installation)

    @app.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError

    answer = visitor(app).get("/broken")
    assert answer.status_code == 500
    assert answer.headers["x-content-type-options"] == "nosniff"
