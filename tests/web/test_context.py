"""The transaction of a request: a client that got its 2xx can rely on the commit."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.orm import Session

from app.database import Database, Transaction
from app.issues.models import Issue
from app.subscribers.models import SignUp
from app.web.context import AppContext
from tests.support.builders import a_document


@contextmanager
def failing_commits() -> Iterator[None]:
    def fail(session: Session) -> None:
        raise OperationalError("COMMIT", {}, Exception("the disk is full"))

    event.listen(Transaction, "before_commit", fail)
    try:
        yield
    finally:
        event.remove(Transaction, "before_commit", fail)


def test_a_failing_commit_answers_503(
    database: Database, readers: TestClient, operators: TestClient
) -> None:
    wish = {"email": "ann@example.org", "segments": ["en"]}
    with failing_commits():
        answers = [
            readers.post("/v1/subscriptions", json=wish),
            readers.post("/v1/subscriptions", data=wish),
            readers.post("/v1/manage-links", json={"email": "ann@example.org"}),
            operators.put("/v1/issues/2025-W04", json=a_document()),
        ]
    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "60"
        assert answer.headers["content-type"] == "application/problem+json"
        assert "disk" not in answer.text
    with database.reading() as session:
        for table in (SignUp, Issue):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    assert readers.post("/v1/subscriptions", json=wish).status_code == 202


def test_a_refusal_rolls_back(database: Database, operators: TestClient) -> None:
    operators.put("/v1/issues/2025-W04", json=a_document(languages=["en"]))
    assert operators.post("/v1/issues/2025-W04/approval").status_code == 409
    assert operators.get("/v1/issues/2025-W04").json()["approved"] == []


def test_what_is_read_is_never_written(installation: AppContext) -> None:
    # PostgreSQL refuses it; SQLite does it, and it is thrown away.
    with suppress(InternalError), installation.database.reading() as session:
        session.execute(text("DELETE FROM installation"))
        session.execute(text("INSERT INTO installation (id, made_at) VALUES (1, '2025-01-01')"))
    with installation.database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM installation")) == 0


def test_the_web_holds_no_private_key(installation: AppContext) -> None:
    for name in ("hot_opening", "list_opening", "index", "admit", "macs"):
        with pytest.raises(AttributeError):
            getattr(installation.keys, name)
