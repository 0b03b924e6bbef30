"""Who may call the operators' port: a key that is known, not revoked, and has the scope."""

import pytest

from tests.support.newsletter import Newsletter, Operator, an_issue

CALLS = (
    ("PUT", "/v1/issues/2024-W50", an_issue("2024-W50", "en")),
    ("GET", "/v1/issues", None),
    ("POST", "/v1/issues/2024-W50/approval", None),
    ("POST", "/v1/mailings", {"week": "2024-W50", "segment": "en"}),
    ("GET", "/v1/segments", None),
    ("GET", "/v1/audit", None),
    ("GET", "/v1/keys", None),
    ("GET", "/metrics", None),
)


@pytest.mark.parametrize("key", [None, "vk_0123456789_wrong", "nonsense", "ключ".encode().hex()])
@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]} {call[1]}")
def test_without_a_good_key_nothing_is_done(
    newsletter: Newsletter, key: str | None, call: tuple[str, str, object]
) -> None:
    answer = Operator(newsletter.place, key).calls(*call)
    assert answer.status == 401
    assert answer.header("Content-Type") == "application/problem+json"
    assert answer.header("WWW-Authenticate") == "Bearer"
    assert newsletter.operator.calls("GET", "/v1/issues/2024-W50").status == 404


def test_a_key_of_another_scope_is_told_which_one_is_needed(newsletter: Newsletter) -> None:
    key = newsletter.place.key("writer", "issues:read,issues:write")
    writer = Operator(newsletter.place, key)
    assert writer.stores(an_issue("2024-W51", "en")).status == 201
    for answer, scope in (
        (writer.approves("2024-W51"), "issues:approve"),
        (writer.launches("2024-W51", "en"), "mailings:control"),
        (writer.calls("GET", "/v1/segments"), "subscribers:count"),
    ):
        assert answer.status == 403
        assert scope in answer.json()["detail"]
    assert newsletter.operator.sees("/v1/issues/2024-W51")["approved"] == []


def test_a_revoked_key_ends_at_once(newsletter: Newsletter) -> None:
    key = newsletter.place.key("passing")
    assert Operator(newsletter.place, key).calls("GET", "/v1/issues").status == 200
    assert newsletter.place.command("key", "revoke", "passing").returncode == 0
    assert Operator(newsletter.place, key).calls("GET", "/v1/issues").status == 401
