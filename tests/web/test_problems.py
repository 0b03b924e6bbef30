"""Every refusal has its status, and no answer repeats what was sent."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

import app
from app.errors import DomainError
from app.web.problems import STATUS, field_name, problem, status_of
from tests.support.builders import a_document

# These never reach an HTTP client, though the web processes could raise them.
ELSEWHERE = {
    "EnvelopeUnsafe": "addresses are parsed at the door",
    "FieldWrong": "never raised: a refused form shows it",
    "HeaderTwice": "our own templates decide which headers a message has",
    "KeyDamaged": "stops the start",
    "KeyExposed": "stops the start",
    "KeyMissing": "stops the start",
    "KeyUnreadable": "stops the start",
    "KeysDestroyed": "stops the start, and ends what runs",
    "KeysInsideData": "stops the start",
    "KeyNameTaken": "keys are made on the command line alone",
    "KeyNameUnfit": "keys are made on the command line alone",
    "KeyUnknown": "keys are revoked on the command line alone",
    "LanguageUnknown": "a newsletter has phrases for all its languages, or does not load",
    "LimitWrong": "becomes SettingWrong where the relays are read",
    "NewsletterMissing": "stops the start",
    "NewsletterUnreadable": "stops the start",
    "NewsletterWrong": "stops the start",
    "NotAdmitted": "only the sender looks, and quarantines the row",
    "PictureUnsafe": "pictures come out of our own child, and we name them",
    "SealBroken": "only the sender opens seals, and throws away what does not open",
    "PlaceholderMisplaced": "our own templates decide where slots stand",
    "PlaceholderUnfilled": "our own code fills the slots of our own templates",
    "PlaceholderValueUnsafe": "our own code fills the slots with tokens",
    "TextMissing": "approval and preview look for missing texts before they render",
    "TooManyMessages": "the sender withholds the message and counts it",
    "TextUnsafe": "an issue's content refuses such characters at the door",
    "WarmUpWrong": "becomes SettingWrong where the relays are read",
}


def web_modules() -> set[str]:
    """List what the web processes import: what others raise, no HTTP client meets."""
    listing = (
        "import sys, app.public_server, app.operators_server;"
        " print(*(name for name in sys.modules if name[:4] == 'app.'))"
    )
    root = Path(app.__path__[0]).parent
    done = subprocess.run(
        [sys.executable, "-c", listing], cwd=root, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def refusals() -> dict[str, type[DomainError]]:
    found: dict[str, type[DomainError]] = {}
    waiting: list[type[DomainError]] = [DomainError]
    modules = web_modules()
    for name in modules:
        importlib.import_module(name)
    while waiting:
        kinds = waiting.pop().__subclasses__()
        waiting += kinds
        found |= {kind.__name__: kind for kind in kinds if kind.__module__ in modules}
    return found


def test_every_refusal_has_a_status_or_cannot_reach_http() -> None:
    for name, kind in refusals().items():
        ancestors = {each.__name__ for each in kind.__mro__}
        assert ancestors & set(STATUS) or ancestors & set(ELSEWHERE), f"{name} has no status"


def test_every_status_belongs_to_a_refusal() -> None:
    known = set(refusals())
    assert set(STATUS) - known == set()
    assert set(ELSEWHERE) - known == set()
    assert set(STATUS) & set(ELSEWHERE) == set()


def test_every_refusal_says_something() -> None:
    for kind in refusals().values():
        assert kind.__doc__, f"{kind.__name__} says nothing"


def test_a_refusal_without_a_row_is_the_client_s() -> None:
    class SomethingElse(DomainError):
        """Something else."""

    assert status_of(SomethingElse()) == 400


def test_a_problem_is_one_as_the_rfc_says() -> None:
    answer = problem(409, "It is so.", slug="so", missing=["a"])
    assert answer.media_type == "application/problem+json"
    assert json.loads(bytes(answer.body)) == {
        "type": "urn:vestka:problem:so",
        "title": "Conflict",
        "status": 409,
        "detail": "It is so.",
        "missing": ["a"],
    }


@given(st.lists(st.one_of(st.integers(), st.text(st.characters(exclude_categories=())))))
def test_a_field_s_name_can_always_be_sent(steps: list[str | int]) -> None:
    problem(422, field_name(("body", *steps)))


def test_a_field_s_name_holds_no_address() -> None:
    assert "ann" not in field_name(("body", "ann@example.org"))
    assert "ann" not in field_name(("body", "texts", "ann%40example.org", "title"))
    assert field_name(("body", "texts", 3, "title")) == "texts.3.title"
    assert field_name(("query", "language")) == "language"
    assert field_name(()) == field_name(("body",)) == "body"


ODD_KEYS = [
    "somebody@example.org",
    "somebody%40example.org",
    "somebody\ud800",
    "somebody\x00",
    "somebody" * 2000,
]


def test_a_client_s_own_key_does_not_break_the_answer(
    readers: TestClient, operators: TestClient
) -> None:
    for key in ODD_KEYS:
        refuses_key(readers, operators, key)


def refuses_key(readers: TestClient, operators: TestClient, key: str) -> None:
    document = a_document()
    document["commentaries"][0]["texts"][key] = {"title": "Some title", "body": "b"}
    headers = {"Content-Type": "application/json"}
    wish = {"email": "reader@example.org", "segments": ["en"], key: "somebody"}
    answers = [
        readers.post("/v1/subscriptions", content=json.dumps(wish), headers=headers),
        operators.put("/v1/issues/2025-W04", content=json.dumps(document), headers=headers),
        operators.put("/v1/issues/2025-W04", content=json.dumps({key: 1}), headers=headers),
        operators.post(
            "/v1/mailings", content=json.dumps({"week": "2025-W04", key: 1}), headers=headers
        ),
    ]
    for answer in answers:
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert "@example.org" not in answer.text
        assert len(answer.content) < 5000


SECRET = "somebody-typed-this"


WRONG_WISHES: list[object] = [
    {"email": SECRET, "segments": ["en"]},
    {"email": [SECRET], "segments": ["en"]},
    {"email": {SECRET: SECRET}, "segments": ["en"]},
    {"email": f"{SECRET}@example.org", "segments": [SECRET]},
    {"email": f"{SECRET}@example.org", "segments": SECRET},
    {"email": f"{SECRET}@example.org", "segments": []},
    {"email": f"{SECRET}@example.org", "segments": ["en"], "language": SECRET},
    {"email": f"{SECRET}@example.org", "segments": ["en"], "source": f"{SECRET} <>"},
    {"email": f"{SECRET}@example.org", "segments": ["en"], "website": 3},
    {"email": f"{SECRET}\r\nBcc: x@example.org", "segments": ["en"]},
    [SECRET],
    SECRET,
    None,
]


def test_a_refused_sign_up_names_the_field_and_repeats_nothing(readers: TestClient) -> None:
    for body in WRONG_WISHES:
        answer = readers.post("/v1/subscriptions", json=body)
        assert answer.status_code == answer.json()["status"] == 422, body
        assert answer.json()["errors"][0]["field"], body
        assert SECRET not in answer.text
        assert SECRET not in str(answer.headers)


def test_what_is_not_json_is_refused(readers: TestClient, operators: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    for raw in (b"{", b"", b"\xff\xfe", b'{"email": "\\ud800"}', b"[" * 5000):
        for answer in (
            readers.post("/v1/subscriptions", content=raw, headers=headers),
            operators.put("/v1/issues/2025-W04", content=raw, headers=headers),
            operators.post("/v1/mailings", content=raw, headers=headers),
        ):
            assert 400 <= answer.status_code < 500, raw
            assert answer.headers["content-type"] == "application/problem+json"


def test_an_unknown_path_and_method_are_problems_too(readers: TestClient) -> None:
    for answer, status in (
        (readers.get("/nowhere"), 404),
        (readers.put("/v1/subscriptions"), 405),
        (readers.post("/v1/subscriptions", content=b"x", headers={"Content-Type": "a/b"}), 415),
    ):
        assert answer.status_code == answer.json()["status"] == status
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_method_that_is_not_there_is_answered_by_those_that_are(
    readers: TestClient, operators: TestClient
) -> None:
    for client, path, allowed in (
        (readers, "/unsubscribe/x", "GET, HEAD, POST"),
        (readers, "/v1/subscriptions", "POST"),
        (operators, "/v1/issues/2025-W04", "DELETE, GET, HEAD, PUT"),
        (operators, "/v1/issues/2025-W04/approval", "DELETE, POST"),
    ):
        answer = client.request("PATCH", path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_a_number_that_no_row_can_have_is_refused(operators: TestClient) -> None:
    for number in (0, 2**53, 2**63, -(2**63) - 1, 10**30):
        assert operators.get(f"/v1/mailings/{number}").status_code == 422
        assert operators.post(f"/v1/mailings/{number}/pause").status_code == 422
        assert operators.get(f"/v1/audit?before={number}").status_code == 422
        decision = {"action": "settle", "deliveries": [number]}
        assert operators.post("/v1/mailings/1/uncertain", json=decision).status_code == 422
    assert operators.get(f"/v1/mailings/{2**53 - 1}").status_code == 404
