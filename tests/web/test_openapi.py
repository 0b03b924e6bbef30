"""What a port says of itself names what only the newsletter knows, and every "no"."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.web.openapi import MARK, methods_of


@pytest.fixture
def told(readers: TestClient) -> dict[str, Any]:
    described: dict[str, Any] = readers.get("/openapi.json").json()
    return described


def test_the_newsletter_s_own_names_are_listed(told: dict[str, Any]) -> None:
    wish = told["paths"]["/v1/subscriptions"]["post"]["requestBody"]["content"]
    for media in ("application/json", "application/x-www-form-urlencoded"):
        fields = wish[media]["schema"]["properties"]
        assert fields["segments"]["items"]["enum"] == ["en", "EN", "be-ru", "BE/RU"]
    assert fields["language"]["enum"] == ["en", "be", "ru"]
    assert MARK not in str(told)


def test_every_call_says_how_it_refuses(told: dict[str, Any]) -> None:
    for path, item in told["paths"].items():
        for operation in item.values():
            refusal = operation["responses"]["default"]["content"]["application/problem+json"]
            assert refusal["schema"] == {"$ref": "#/components/schemas/Problem"}, path
    assert "HTTPValidationError" not in str(told)


def test_an_operator_s_call_says_that_it_needs_a_key(operators: TestClient) -> None:
    responses = operators.get("/openapi.json").json()["paths"]["/v1/issues"]["get"]["responses"]
    assert {"200", "401", "403", "default"} <= set(responses)


def test_a_path_s_methods_are_those_of_all_its_calls() -> None:
    schema: dict[str, Any] = {
        "paths": {"/a/{x}": {"get": {}}, "/a/b": {"post": {}}, "/a.b": {"put": {}}}
    }
    assert methods_of(schema, "/a/b") == ["GET", "HEAD", "POST"]
    assert methods_of(schema, "/a/c") == ["GET", "HEAD"]
    assert methods_of(schema, "/aXb") == []
