"""HEAD is GET without the body, on every page."""

from fastapi.testclient import TestClient


def test_head_answers_as_get_does(readers: TestClient) -> None:
    for path in ("/form", "/manage", "/confirmed?language=be", "/confirm/nothing", "/nowhere"):
        got, asked = readers.get(path), readers.head(path)
        assert asked.status_code == got.status_code
        assert asked.content == b""
        assert dict(asked.headers) == dict(got.headers)


def test_head_of_what_only_acts_is_refused(readers: TestClient) -> None:
    assert readers.head("/v1/subscriptions").status_code == 405
