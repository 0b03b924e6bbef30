"""The operators' calls: one address in, counts out, and no way to ask who is there."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from app.addresses.keyring import Keyring
from app.database import Database
from app.operators.models import AuditEntry
from app.subscribers.models import Subscriber
from app.subscribers.suppression import suppress_requested
from app.suppressions.lookup import counts
from app.suppressions.models import SuppressionRequest
from tests.support.builders import a_subscriber
from tests.support.clock import MONDAY

ANN = {"email": "Ann@Example.org"}


def test_one_address_is_suppressed_and_its_subscription_ends(
    database: Database, keyring: Keyring, operators: TestClient
) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring)
    for _ in range(2):
        answer = operators.post("/v1/suppressions", json=ANN)
        assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    with database.transaction() as session:
        assert suppress_requested(session, keyring, today=MONDAY.date()) == 2
        assert session.scalars(select(Subscriber)).all() == []
        assert counts(session, today=MONDAY.date())["operator"] == 1
    assert operators.get("/v1/suppressions").json()["operator"] == 0, "one person must not show"
    with database.reading() as session:
        (entry, *_) = session.scalars(select(AuditEntry).where(AuditEntry.actor == "editor"))
        assert (entry.action, entry.subject) == ("suppression added", "one address")


@pytest.mark.parametrize("body", [{"email": "seldomseen"}, {}, {**ANN, "note": "seldomseen"}])
def test_a_wrong_wish_is_refused_by_field(
    database: Database, operators: TestClient, body: dict[str, str]
) -> None:
    answer = operators.post("/v1/suppressions", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in ("email", "note")
    assert "seldomseen" not in answer.text
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(SuppressionRequest)) == 0
