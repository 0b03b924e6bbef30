"""A key opens the calls of its scopes and no others."""

import pytest
from fastapi.testclient import TestClient

from app.operators.auth import needs
from app.operators.scopes import SCOPES
from app.operators_server import create_operators
from app.web.context import AppContext
from tests.support.builders import a_document, a_key, visitor

CALLS = {
    "issues:read": ("GET", "/v1/issues"),
    "issues:write": ("PUT", "/v1/issues/2025-W04"),
    "issues:approve": ("POST", "/v1/issues/2025-W04/approval"),
    "mailings:read": ("GET", "/v1/mailings"),
    "mailings:control": ("POST", "/v1/mailings"),
    "subscribers:count": ("GET", "/v1/segments"),
    "suppressions:read": ("GET", "/v1/suppressions"),
    "suppressions:write": ("POST", "/v1/suppressions"),
    "bounces:write": ("POST", "/v1/bounces"),
    "audit:read": ("GET", "/v1/audit"),
}
BODIES = {
    "issues:write": a_document(),
    "bounces:write": {"events": [{}]},
    "suppressions:write": {"email": "ann@example.org"},
    "mailings:control": {"week": "2025-W04", "segment": "en"},
}


def status(client: TestClient, scope: str) -> int:
    method, path = CALLS[scope]
    return client.request(method, path, json=BODIES.get(scope)).status_code


def test_a_key_opens_the_calls_of_its_scope_alone(installation: AppContext) -> None:
    client = visitor(create_operators(installation))
    for scope in CALLS:
        key = a_key(installation.database, scope, name=scope.replace(":", " "))
        client.headers["Authorization"] = f"Bearer {key}"
        assert {each for each in CALLS if status(client, each) != 403} == {scope}


def test_a_missing_scope_is_named(installation: AppContext) -> None:
    client = visitor(create_operators(installation))
    key = a_key(installation.database, "issues:read")
    answer = client.get("/v1/audit", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 403
    assert "audit:read" in answer.json()["detail"]


def test_only_scopes_that_exist_can_be_needed() -> None:
    for scope in SCOPES:
        needs(scope)
    with pytest.raises(KeyError):
        needs("everything")
