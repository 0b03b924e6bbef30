"""A proof of work: signed by us, solved as ALTCHA's own programs solve it, good for one sign-up."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from altcha import Challenge, Payload, solve_challenge
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from app.database import Database
from app.subscribers import proof_of_work
from app.subscribers.expiry import expire
from app.subscribers.models import SpentProof
from app.subscribers.proof_of_work import ProofMissing, ProofWrong, challenge, check
from tests.subscribers.test_api import waiting
from tests.support.clock import MONDAY

KEY = bytes(32)
TODAY = MONDAY.date()
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less work: what is tested here does not depend on how much it is."""
    monkeypatch.setattr(proof_of_work, "COST", 10)


def solved(given_out: dict[str, Any]) -> str:
    """Do what a browser does."""
    made = Challenge.from_dict(given_out)
    solution = solve_challenge(made)
    assert solution is not None
    return Payload(made, solution).to_base64()


def changed(proof: str, **facts: Any) -> str:
    told = json.loads(base64.b64decode(proof))
    told["challenge"]["parameters"] |= facts
    return base64.b64encode(json.dumps(told).encode()).decode()


def test_a_solution_is_good_until_the_next_day_ends() -> None:
    proof = solved(challenge(KEY, TODAY))
    assert len(check(KEY, proof, TODAY)) == 16
    assert check(KEY, proof, TODAY + DAY) == check(KEY, proof, TODAY)
    with pytest.raises(ProofWrong):
        check(KEY, proof, TODAY + 2 * DAY)


def test_no_fact_of_a_challenge_can_be_changed() -> None:
    proof = solved(challenge(KEY, TODAY))
    for facts in (
        {"keyPrefix": ""},
        {"cost": 1},
        {"algorithm": "SHA-256"},
        {"data": {"until": "2099-01-01"}},
        {"data": None},
        {"nonce": "00" * 16},
    ):
        with pytest.raises(ProofWrong):
            check(KEY, changed(proof, **facts), TODAY)
    with pytest.raises(ProofWrong):
        check(bytes(31) + b"\1", proof, TODAY)


def test_a_challenge_s_own_fields_are_no_proof() -> None:
    given_out = challenge(KEY, TODAY)
    for counter, key in ((0, "00" * 32), (-1, ""), (2**32, "00"), ("0", None)):
        claimed = {"challenge": given_out, "solution": {"counter": counter, "derivedKey": key}}
        with pytest.raises(ProofWrong):
            check(KEY, base64.b64encode(json.dumps(claimed).encode()).decode(), TODAY)


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.b64encode(raw).decode())))
def test_what_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises((ProofMissing, ProofWrong)):
        check(KEY, text, TODAY)


def test_a_browser_s_half_second_of_work_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    asked = challenge(KEY, TODAY)["parameters"]
    assert (asked["algorithm"], asked["cost"], asked["keyPrefix"]) == ("PBKDF2/SHA-256", 5000, "00")


@pytest.fixture
def asking(readers: TestClient) -> TestClient:
    """The readers' port of an installation that asks for a proof of work."""
    readers.app.state.installation.settings.read_values["proof_of_work"] = "on"  # type: ignore[attr-defined]  # ours
    return readers


def sign_up(readers: TestClient, proof: str | None) -> Any:
    wish = {"email": "ann@example.org", "segments": ["en"], "altcha": proof}
    return readers.post("/v1/subscriptions", json=wish)


def test_a_sign_up_needs_a_proof_and_each_serves_once(
    database: Database, asking: TestClient
) -> None:
    answer = asking.get("/v1/challenge")
    assert answer.headers["cache-control"] == "no-store"
    proof = solved(answer.json())
    for refused in (None, "", "abc", changed(proof, cost=1)):
        answer = sign_up(asking, refused)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "altcha"
    assert waiting(database) == 0
    assert sign_up(asking, proof).status_code == 202
    again = sign_up(asking, proof)
    assert again.status_code == 422
    assert again.json()["type"] == "urn:vestka:problem:proof-spent"
    assert waiting(database) == 1


def test_a_refused_sign_up_does_not_spend_its_proof(database: Database, asking: TestClient) -> None:
    proof = solved(asking.get("/v1/challenge").json())
    wish = {"email": "ann@", "segments": ["en"], "altcha": proof}
    assert asking.post("/v1/subscriptions", json=wish).status_code == 422
    assert sign_up(asking, proof).status_code == 202


def test_a_used_proof_is_forgotten_when_its_day_is_over(
    database: Database, asking: TestClient
) -> None:
    assert sign_up(asking, solved(asking.get("/v1/challenge").json())).status_code == 202
    for day, left in ((1, [TODAY + DAY]), (2, [])):
        with database.transaction() as session:
            expire(session, now=MONDAY + day * DAY)
            assert [row.until for row in session.query(SpentProof)] == left


def test_a_form_without_script_says_what_is_needed(asking: TestClient) -> None:
    form = {"email": "ann@example.org", "segments": "en", "language": "be"}
    answer = asking.post("/v1/subscriptions", data=form)
    assert answer.status_code == 422
    assert "JavaScript: дазвольце" in answer.text
    assert "JavaScript: дазвольце" in asking.get("/form?language=be").text


def test_nothing_is_asked_where_it_is_off(database: Database, readers: TestClient) -> None:
    answer = readers.get("/v1/challenge")
    assert answer.status_code == answer.json()["status"] == 404
    assert "JavaScript:" not in readers.get("/form?language=be").text
    assert sign_up(readers, "whatever an old page sends").status_code == 202
