"""JSON that two parsers would read differently is refused with the field's name, everywhere."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute

from app.issues.files import FileNotJson, read_issue
from app.operators_server import create_operators
from app.public_server import create_public
from app.web.context import AppContext
from app.web.strict_json import JsonFlaw, StrictRoute, check_json
from tests.support.builders import a_key

FLAWED = {
    '{"a": 1, "a": 1}': ("a",),
    '{"x": [{"a": 1, "b": 2, "a": 3}]}': ("a",),
    r'{"a": 1, "\u0061": 2}': ("a",),
    '{"a": NaN}': (),
    '{"a": [-Infinity]}': (),
    '{"a": 1e999}': (),
    r'{"a": ["x", "\ud800"]}': ("a", 1),
    r'{"a": {"\udfff": 1}}': ("a", "\udfff"),
    '{"a": ' + "9" * 5000 + "}": (),
    "[" * 200_000 + "]" * 200_000: (),
}


@pytest.mark.parametrize("text", FLAWED, ids=range(len(FLAWED)))
def test_what_can_be_read_in_two_ways_is_refused_by_its_place(text: str) -> None:
    for raw in (text, text.encode()):
        with pytest.raises(JsonFlaw) as refused:
            check_json(raw)
        assert refused.value.path == FLAWED[text]


@pytest.mark.parametrize(
    "text", ['{"a": {"a": 1}, "b": {"a": 2}}', r'"\ud83d\ude00"', "[1e3, -0.5]", "{", '"\xff"', ""]
)
def test_what_has_one_meaning_or_none_passes(text: str) -> None:
    check_json(text)
    check_json(text.encode("latin-1"))


def _routes(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    for each in routes:
        included = getattr(each, "original_router", None)
        yield from [each] if included is None else _routes(included.routes)


def test_no_route_takes_json_in_that_does_not_look(installation: AppContext) -> None:
    apps = (create_operators(installation), create_public(installation))
    with_body = [
        each
        for app in apps
        for each in _routes(app.routes)
        if isinstance(each, APIRoute) and each.body_field is not None
    ]
    assert len(with_body) >= 4
    assert [each.path for each in with_body if not isinstance(each, StrictRoute)] == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/mailings", '{"week": "2025-W04", "week": "2025-W05", "segment": "en"}'),
        ("PUT", "/v1/issues/2025-W04", '{"week": "2025-W04", "week": "2025-W04"}'),
        ("POST", "/v1/issues/2025-W04/test-letters", '{"to": ["a@b.example"], "to": ["c@d.ef"]}'),
        ("POST", "/v1/suppressions", '{"email": "ann@example.org", "email": "bob@example.org"}'),
        ("POST", "/v1/issues/2025-W04/approval", '{"segments": ["en"], "segments": []}'),
        ("POST", "/v1/bounces", '{"events": [], "events": []}'),
    ],
)
def test_operators_are_told_which_key(
    operators: TestClient, installation: AppContext, method: str, path: str, body: str
) -> None:
    headers = {
        "Authorization": f"Bearer {a_key(installation.database, name='another')}",
        "Content-Type": "application/json",
    }
    answer = operators.request(method, path, content=body, headers=headers)
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert f'"{error["field"]}":' in body
    assert error["message"] == "this key may be given once"
    assert "example" not in answer.text


def test_readers_are_told_which_key_but_no_address(readers: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    body = '{"email": "ann@example.org", "email": "bob@example.org", "segments": ["en"]}'
    answer = readers.post("/v1/subscriptions", content=body, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "email")
    assert "example" not in answer.text
    body = '{"ann@example.org": 1, "ann@example.org": 2}'
    answer = readers.post("/v1/subscriptions", content=body, headers=headers)
    assert answer.status_code == 422
    assert "ann" not in answer.text


def test_a_file_is_refused_the_same(tmp_path: Path) -> None:
    path = tmp_path / "issue.json"
    path.write_text('{"week": "2025-W04", "commentaries": [], "commentaries": []}')
    with pytest.raises(FileNotJson, match="commentaries: this key may be given once"):
        read_issue(path)
