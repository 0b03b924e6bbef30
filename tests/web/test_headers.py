"""Every answer is guarded: pages, problems, refusals of compressed bodies."""

from fastapi.testclient import TestClient

from app.web.headers import HEADERS


def test_every_answer_is_guarded(readers: TestClient, operators: TestClient) -> None:
    answers = [
        readers.get("/form"),
        readers.get("/nowhere"),
        readers.post("/v1/subscriptions", json={}),
        readers.get("/static/vestka.css"),
        readers.get("/health/live"),
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
