"""Hostile, broken, oversized input: a 4xx that names the field, not the value; nothing stored."""

import json
from typing import Any

import pytest

from tests.support.newsletter import Newsletter, Operator, Reader, an_issue

MARK = "zzmarkzz"
ADDRESSES = {
    "line break": f"{MARK}@example.org\r\nBcc: eve@example.org",
    "line feed at the end": f"{MARK}@example.org\n",
    "NUL": f"{MARK}\0@example.org",
    "display name": f"Ann <{MARK}@example.org>",
    "quoted local part": f'"{MARK} x"@example.org',
    "address literal": f"{MARK}@[127.0.0.1]",
    "65 characters": MARK.ljust(65, "a") + "@example.org",
    "not ASCII before the @": f"{MARK}ж@example.org",
    "no domain": f"{MARK}@",
    "two": f"{MARK}@example.org,eve@example.org",
    "far too long": MARK + "a" * 900 + "@example.org",
}


@pytest.mark.parametrize("case", ADDRESSES)
@pytest.mark.parametrize("path", ["/v1/subscriptions", "/v1/manage-links"])
def test_an_address_that_is_none_is_refused_by_its_field(
    reader: Reader, case: str, path: str
) -> None:
    more = {"segments": ["en"]} if path == "/v1/subscriptions" else {}
    answer = reader.posts_json(path, {"email": ADDRESSES[case], **more})
    assert (answer.status, answer.fields) == (422, ["email"])
    assert answer.header("Content-Type") == "application/problem+json"
    assert MARK not in answer.text


def test_the_reason_is_said(reader: Reader) -> None:
    answer = reader.subscribes(ADDRESSES["not ASCII before the @"], ["en"])
    assert "before the @" in answer.json()["detail"]


SIGN_UPS: dict[str, tuple[bytes, int, list[str]]] = {
    "unknown segment": (b'{"email":"a@example.org","segments":["zzmarkzz"]}', 422, ["segments.0"]),
    "no segment": (b'{"email":"a@example.org","segments":[]}', 422, ["segments"]),
    "unknown language": (
        b'{"email":"a@example.org","segments":["en"],"language":"zzmarkzz"}',
        422,
        ["language"],
    ),
    "unknown field": (
        b'{"email":"a@example.org","segments":["en"],"confirmed":"zzmarkzz"}',
        422,
        ["confirmed"],
    ),
    "not JSON": (b"{zzmarkzz", 422, ["body"]),
    "not UTF-8": (b'{"email":"\xff\xfe","segments":["en"]}', 422, ["body"]),
    "a list": (b'["zzmarkzz"]', 422, ["body"]),
    "too big": (b'{"email":"' + b"z" * 70_000 + b'"}', 413, []),
}


@pytest.mark.parametrize("case", SIGN_UPS)
def test_a_sign_up_that_is_wrong_is_refused(reader: Reader, case: str) -> None:
    body, status, fields = SIGN_UPS[case]
    answer = reader.sends("POST", "/v1/subscriptions", body, "application/json")
    assert (answer.status, answer.fields) == (status, fields)
    assert answer.header("Content-Type") == "application/problem+json"
    assert "zzmark" not in answer.text


@pytest.mark.parametrize("field", ["email", "segments", "language", "source", "website", "extra"])
def test_a_lone_surrogate_is_refused_in_every_field_of_a_sign_up(
    reader: Reader, field: str
) -> None:
    wish: dict[str, Any] = {"email": "a@example.org", "segments": ["en"]}
    wish[field] = ["en\ud800"] if field == "segments" else "en\ud800"
    answer = reader.posts_json("/v1/subscriptions", wish)
    assert answer.status == 422
    assert "\\ud800" not in answer.text


def _places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all strings of a JSON value."""
    if isinstance(content, str):
        return [path]
    pairs = content.items() if isinstance(content, dict) else enumerate(content)
    return [found for key, value in pairs for found in _places(value, (*path, key))]


def _whole_issue() -> dict[str, Any]:
    issue = an_issue("2024-W30", "en")
    photo = {"credit": "A credit", "alt": {"en": "What it shows"}}
    issue["commentaries"][0] |= {"author": "An author", "photo": photo}
    return issue


@pytest.mark.parametrize("place", _places(_whole_issue()), ids=lambda p: ".".join(map(str, p)))
def test_a_lone_surrogate_is_refused_in_every_field_of_an_issue(
    operator: Operator, place: tuple[Any, ...]
) -> None:
    issue = _whole_issue()
    inner: Any = issue
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] += "\ud800"
    answer = operator.calls("PUT", "/v1/issues/2024-W30", issue)
    assert answer.status == 422
    assert operator.calls("GET", "/v1/issues/2024-W30").status == 404


CALLS: dict[str, tuple[str, str, object]] = {
    "approval": ("POST", "/v1/issues/2024-W31/approval", {"segments": ["en\ud800"]}),
    "mailing's week": ("POST", "/v1/mailings", {"week": "2024\ud800", "segment": "en"}),
    "mailing's segment": ("POST", "/v1/mailings", {"week": "2024-W31", "segment": "en\ud800"}),
    "test message's address": (
        "POST",
        "/v1/issues/2024-W31/test-letters",
        {"to": ["a\ud800@example.org"]},
    ),
    "test message's segment": (
        "POST",
        "/v1/issues/2024-W31/test-letters",
        {"to": ["a@example.org"], "segment": "\ud800"},
    ),
    "test message's language": (
        "POST",
        "/v1/issues/2024-W31/test-letters",
        {"to": ["a@example.org"], "language": "\ud800"},
    ),
}


@pytest.mark.parametrize("case", CALLS)
def test_a_lone_surrogate_is_refused_in_every_call(operator: Operator, case: str) -> None:
    operator.stores(an_issue("2024-W31", "en"))
    answer = operator.calls(*CALLS[case])
    assert answer.status == 422, answer.text
    assert answer.fields, "the field is named"


def changed(**changes: Any) -> dict[str, Any]:
    issue = an_issue("2024-W32", "en")
    issue["commentaries"][0] |= changes
    return issue


TEXT = {"title": "T", "body": "B"}
ISSUES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown language": (changed(texts={"de": TEXT}), "commentaries.0.texts.de"),
    "unknown rubric": (changed(rubric=MARK), "commentaries.0.rubric"),
    "unknown situation": (changed(situation=MARK), "commentaries.0.situation"),
    "unknown field": (changed(mood=MARK), "commentaries.0.mood"),
    "no text": (changed(texts={}), "commentaries.0.texts"),
    "line break in a title": (
        changed(texts={"en": {"title": f"{MARK}\nBcc: eve@example.org", "body": "B"}}),
        "commentaries.0.texts.en.title",
    ),
    "unknown photo": (
        changed(photo={"credit": "C", "id": MARK}),
        "commentaries.0.photo.id",
    ),
    "another week": ({**changed(), "week": "2024-W33"}, "week"),
    "no commentary": ({"week": "2024-W32", "commentaries": []}, "commentaries"),
}


@pytest.mark.parametrize("case", ISSUES)
def test_an_issue_that_is_wrong_is_refused_by_its_field(operator: Operator, case: str) -> None:
    issue, field = ISSUES[case]
    answer = operator.calls("PUT", "/v1/issues/2024-W32", issue)
    assert answer.status == 422
    assert answer.fields[0].startswith(field), answer.text
    assert MARK not in answer.text
    assert operator.calls("GET", "/v1/issues/2024-W32").status == 404


@pytest.mark.parametrize("week", ["2025-W54", "2025-W53", "2025-W00", "2025-04", "last"])
def test_a_week_that_does_not_exist_is_refused(operator: Operator, week: str) -> None:
    answer = operator.calls("PUT", f"/v1/issues/{week}", an_issue(week, "en"))
    # What is a week's name, and yet no week of its year, is a path that leads nowhere.
    expected = 404 if week == "2025-W53" else 422
    assert answer.status == expected
    assert "week" in answer.fields
    launched = operator.launches(week, "en")
    assert (launched.status, launched.fields) == (expected, ["week"])


def test_an_issue_beyond_the_limit_is_refused(operator: Operator) -> None:
    huge = json.dumps(an_issue("2024-W32", "en", body="x" * (9 << 20))).encode()
    try:
        answer = operator.calls("PUT", "/v1/issues/2024-W32", huge)
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused before all of it was sent
    else:
        assert answer.status == 413
    assert operator.calls("GET", "/v1/issues/2024-W32").status == 404


def test_an_unknown_segment_of_an_approval_or_mailing_is_refused(operator: Operator) -> None:
    operator.stores(an_issue("2024-W34", "en"))
    for answer in (operator.approves("2024-W34", MARK), operator.launches("2024-W34", MARK)):
        assert answer.status == 422
        assert answer.fields
        assert MARK not in answer.text


def test_hostile_markup_is_harmless_in_the_message(
    newsletter: Newsletter, reader: Reader, operator: Operator
) -> None:
    body = (
        "<script>alert(1)</script>\n\n<img src=x onerror=alert(2)>\n\n"
        "![pixel](https://tracker.example.com/p.gif)\n\n</td></tr></table>{{ 7*7 }} {% raw %}"
    )
    reader.is_confirmed("brave@example.org", ["en"])
    operator.waits_for_end(operator.publishes(an_issue("2024-W35", "en", body=body), "en"))
    (message,) = newsletter.issues_to("brave@example.org")
    html = message.html.lower()
    for evil in ("<script", "<img", 'tracker.example.com/p.gif"'):
        assert evil not in html
    assert "{{ 7*7 }}" in message.text
    assert " 49 " not in message.text


def test_a_hostile_link_keeps_an_issue_from_being_approved(operator: Operator) -> None:
    body = "[press](javascript:alert(3)) and [data](data:text/html,x)"
    assert operator.stores(an_issue("2024-W36", "en", body=body)).status == 201
    refused = operator.approves("2024-W36", "en")
    assert refused.status == 409
    assert {each["where"] for each in refused.json()["findings"]} == {
        "commentaries.0.texts.en.body"
    }
    html = operator.sees("/v1/issues/2024-W36/editions/en")["html"]
    assert 'href="javascript' not in html
    assert 'href="data' not in html


def test_an_internationalized_domain_is_accepted_and_sent_as_its_a_label(
    newsletter: Newsletter, reader: Reader
) -> None:
    assert reader.subscribes("ales@пошта.example.org", ["en"]).status == 202
    wire = "ales@xn--80a1acn3a.example.org"
    message = reader.gets_message(wire, "confirm")
    assert message.header("To") == wire
    assert message.received.recipients == (wire,)


def test_nothing_of_all_that_was_stored(newsletter: Newsletter, operator: Operator) -> None:
    """The last of this file: no sign-up that was refused above became a subscription."""
    newsletter.settles()
    counts = operator.counts()
    assert (counts["be-ru"]["pending"], counts["be-ru"]["confirmed"]) == (0, 0)
    assert not any(MARK.encode() in message.raw for message in newsletter.relay.messages)
    assert not newsletter.inbox_of("a@example.org")
