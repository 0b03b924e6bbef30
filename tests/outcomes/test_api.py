"""The operators' calls: who may hand in what, in which shape, and how Amazon is let in."""

import json
from base64 import b64encode

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from app.database import Database
from app.operators_server import create_operators
from app.outcomes.models import OutcomeCount
from app.outcomes.providers import sns_client
from app.outcomes.providers.sns import CONFIRMATION
from app.settings import Settings
from app.web.context import AppContext
from tests.outcomes.providers.test_sns import PEM, TOPIC, signed
from tests.support.builders import PUBLIC_URL, a_key, visitor

SNS = {"Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": "Notification"}
BOUNCE = {
    "notificationType": "Bounce",
    "mail": {"source": "b-x@back.example.org"},
    "bounce": {"bounceType": "Permanent", "bounceSubType": "NoEmail", "bouncedRecipients": []},
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was asked of Amazon, whose answer is the certificate of the tests."""
    asked: list[tuple[str, str]] = []

    def get(host: str, path: str) -> bytes:
        asked.append((host, path))
        return PEM

    monkeypatch.setattr(sns_client, "certificate", get)
    monkeypatch.setattr(sns_client, "get", get)
    return asked


@pytest.fixture
def amazonian(installation: AppContext) -> TestClient:
    """The operators' port of an installation that knows a topic, called as Amazon does."""
    settings = Settings(
        {
            "VESTKA_PUBLIC_URL": PUBLIC_URL,
            "VESTKA_FROM": "News <news@example.org>",
            "VESTKA_SNS_TOPICS": TOPIC,
        }
    )
    here = AppContext(
        settings,
        installation.database,
        installation.clock,
        installation.newsletter,
        installation.keys,
    )
    client = visitor(create_operators(here))
    key = a_key(installation.database, "bounces:write")
    client.headers["Authorization"] = "Basic " + b64encode(f"sns:{key}".encode()).decode()
    return client


def counted(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.sum(OutcomeCount.count))) or 0


def test_amazon_is_let_in_by_key_topic_and_signature(
    database: Database, amazonian: TestClient, calls: list[tuple[str, str]]
) -> None:
    envelope = signed(Message=json.dumps(BOUNCE))
    answer = amazonian.post("/v1/bounces", content=envelope.model_dump_json(), headers=SNS)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "outcomes": [{"became": "foreign", "class": "hard", "reason": "user-unknown"}]
    }
    assert counted(database) == 1
    forged = envelope.model_copy(update={"Message": json.dumps({**BOUNCE, "more": 1})})
    answer = amazonian.post("/v1/bounces", content=forged.model_dump_json(), headers=SNS)
    assert answer.status_code == 403
    assert counted(database) == 1
    del amazonian.headers["Authorization"]
    answer = amazonian.post("/v1/bounces", content=envelope.model_dump_json(), headers=SNS)
    assert answer.status_code == 401


@pytest.mark.parametrize("where", ["the notification", "its message"])
def test_what_amazon_says_twice_is_refused(
    database: Database, amazonian: TestClient, calls: list[tuple[str, str]], where: str
) -> None:
    message = json.dumps(BOUNCE)
    if where == "its message":
        message = '{"notificationType": "Complaint", ' + message[1:]
    body = signed(Message=message).model_dump_json()
    if where == "the notification":
        body = '{"Type": "Notification", ' + body[1:]
    answer = amazonian.post("/v1/bounces", content=body, headers=SNS)
    assert answer.status_code == 422, answer.text
    assert "may be given once" in answer.text
    assert counted(database) == 0


def test_a_topic_is_confirmed(amazonian: TestClient, calls: list[tuple[str, str]]) -> None:
    asked = signed(Type=CONFIRMATION, Token="abc", SubscribeURL="https://192.0.2.7/")
    answer = amazonian.post("/v1/bounces", content=asked.model_dump_json(), headers=SNS)
    assert answer.status_code == 200, answer.text
    assert calls[-1][0] == "sns.eu-west-1.amazonaws.com"
    assert "Token=abc" in calls[-1][1]


def test_without_a_topic_amazon_is_not_believed(
    operators: TestClient, calls: list[tuple[str, str]]
) -> None:
    answer = operators.post("/v1/bounces", content=signed().model_dump_json(), headers=SNS)
    assert answer.status_code == 403
    assert calls == []


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 422),
        (b"[" * 100_000, "application/json", 422),
        (b'{"events": []}', "application/json", 422),
        (b'{"events": [{"class": "seldomseen"}]}', "application/json", 422),
        (b" " * 1_500_000, "application/json", 413),
        (b"\xff\xfe", "application/json", 422),
        (b"seldomseen", "text/html", 415),
        (b"", "message/rfc822", 200),
        (b"From: \xff\xff\r\n" * 90_000, "message/rfc822", 200),
    ],
)
def test_odd_input_is_answered(
    operators: TestClient, content: bytes, kind: str, status: int
) -> None:
    answer = operators.post("/v1/bounces", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text
    assert "seldomseen" not in answer.text


def test_a_password_opens_nothing_else(amazonian: TestClient) -> None:
    for path in ("/v1/mailings", "/v1/suppressions"):
        assert amazonian.get(path).status_code == 401


def test_there_is_no_mailing_to_see(operators: TestClient) -> None:
    assert operators.get("/v1/mailings/7/outcomes").status_code == 404
