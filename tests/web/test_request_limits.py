"""A body that is too long is refused as a problem, whether it says its length or not."""

from collections.abc import Iterator

from fastapi.testclient import TestClient

from app.public_server import PUBLIC_BODY


def chunks(size: int) -> Iterator[bytes]:
    for _ in range(size // 1000):
        yield b" " * 1000


def test_a_long_body_is_refused(readers: TestClient) -> None:
    for content in (b" " * (PUBLIC_BODY + 1), chunks(PUBLIC_BODY + 2000)):
        for media in ("application/json", "application/x-www-form-urlencoded"):
            headers = {"Content-Type": media}
            answer = readers.post("/v1/subscriptions", content=content, headers=headers)
            assert answer.status_code == answer.json()["status"] == 413
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["x-content-type-options"] == "nosniff"
            content = chunks(PUBLIC_BODY + 2000)  # noqa: PLW2901 - an iterator is read once


def test_a_body_at_the_limit_is_read(readers: TestClient) -> None:
    wish = b'{"email": "ann@example.org", "segments": ["en"]}'
    headers = {"Content-Type": "application/json"}
    full = wish + b" " * (PUBLIC_BODY - len(wish))
    assert readers.post("/v1/subscriptions", content=full, headers=headers).status_code == 202


def test_a_length_that_is_no_number_is_not_trusted(readers: TestClient) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": "many"}
    long = b" " * (PUBLIC_BODY + 1)
    assert readers.post("/v1/subscriptions", content=long, headers=headers).status_code == 413
