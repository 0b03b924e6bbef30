"""Approving and looking, over HTTP: all or nothing, and what is shown is what will go."""

from fastapi.testclient import TestClient

from app.addresses.keyring import Keyring
from app.database import Database
from app.mail.message.compiler import marker
from tests.support.builders import PUBLIC_URL, a_document, a_subscriber

URL = "/v1/issues/2025-W04"


def test_approval_freezes_what_was_shown(operators: TestClient) -> None:
    operators.put(URL, json=a_document())
    shown = operators.get(f"{URL}/editions/en").json()
    assert operators.post(f"{URL}/approval").json()["segments"] == ["en", "be-ru"]
    assert operators.get(f"{URL}/editions/en").json() == shown
    assert len(shown["html"].encode()) <= shown["size"] < 1.5 * len(shown["html"].encode())


def test_only_the_named_segments_are_approved(operators: TestClient) -> None:
    operators.put(URL, json=a_document())
    answer = operators.post(f"{URL}/approval", json={"segments": ["BE/RU"]})
    assert answer.json()["segments"] == ["be-ru"]
    assert operators.get(URL).json()["approved"] == ["be-ru"]


def test_what_is_missing_is_listed_and_nothing_approved(operators: TestClient) -> None:
    operators.put(URL, json=a_document(languages=["en"]))
    answer = operators.post(f"{URL}/approval")
    assert answer.status_code == 409
    assert answer.json()["missing"] == {"be-ru": ["commentaries.0.texts"]}
    assert operators.get(URL).json()["approved"] == []
    assert operators.post(f"{URL}/approval", json={"segments": ["en"]}).status_code == 200
    assert operators.get(f"{URL}/editions/be-ru").status_code == 409


def test_wrong_wishes_are_refused(operators: TestClient) -> None:
    operators.put(URL, json=a_document())
    for body, field in (
        ({"segments": []}, "segments"),
        ({"segments": ["en", "seldomseen"]}, "segments.1"),
        ({"segment": "en"}, "segment"),
    ):
        answer = operators.post(f"{URL}/approval", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field
        assert "seldomseen" not in answer.text
    assert operators.get(URL).json()["approved"] == []


def test_a_withdrawal_comes_before_a_launch_or_not_at_all(
    operators: TestClient, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring)
    operators.put(URL, json=a_document())
    assert operators.delete(f"{URL}/approval").status_code == 409
    operators.post(f"{URL}/approval")
    assert operators.delete(f"{URL}/approval").status_code == 204
    operators.post(f"{URL}/approval")
    wish = {"week": "2025-W04", "segment": "en"}
    assert operators.post("/v1/mailings", json=wish).status_code == 201
    answer = operators.delete(f"{URL}/approval")
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:vestka:problem:already-sent"
    assert operators.get(URL).json()["approved"] == ["be-ru", "en"]


def test_an_edition_is_shown_in_the_language_asked_for(operators: TestClient) -> None:
    operators.put(URL, json=a_document())
    for language in ("be", "ru"):
        shown = operators.get(f"{URL}/editions/be-ru?language={language}").json()
        assert shown["language"] == language
        assert f"Text ({language})" in shown["text"]
    assert operators.get(f"{URL}/editions/be-ru").json()["language"] == "be"
    assert operators.get(f"{URL}/editions/BE%2FRU").status_code == 404  # a path has no such name
    for path in (f"{URL}/editions/en?language=be", "/v1/issues/2025-W05/editions/en"):
        assert operators.get(path).status_code == 404


def test_an_unknown_segment_is_named(operators: TestClient) -> None:
    operators.put(URL, json=a_document())
    answer = operators.get(f"{URL}/editions/seldomseen")
    assert 400 <= answer.status_code < 500
    assert answer.json()["errors"][0]["field"] == "segment"
    assert "seldomseen" not in answer.text


def test_a_forged_slot_is_refused(operators: TestClient) -> None:
    document = a_document()
    operators.put(URL, json=document)
    slot = f"{PUBLIC_URL}/unsubscribe/{marker('unsubscribe', 40)}"
    document["commentaries"][0]["texts"]["en"]["body"] = f"See {slot}"
    operators.put(URL, json=document)
    answer = operators.post(f"{URL}/approval")
    assert answer.status_code == 409
    assert operators.get(URL).json()["approved"] == []
