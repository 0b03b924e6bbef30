"""Alive is one thing, ready another; the relay is part of neither."""

from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError

from app.database import Database
from tests.support.builders import served


def test_a_served_database_is_ready(readers: TestClient, operators: TestClient) -> None:
    for client in (readers, operators):
        assert client.get("/health/live").json() == {"status": "live"}
        assert client.get("/health/ready").json() == {"status": "ready"}


def test_without_a_database_it_lives_and_is_not_ready(readers: TestClient) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("no route to the host"))

    engine: Engine = served(readers).engine
    event.listen(engine, "before_cursor_execute", fail)
    answer = readers.get("/health/ready")
    assert answer.status_code == 503
    assert "route" not in answer.text
    assert readers.get("/health/live").status_code == 200
    event.remove(engine, "before_cursor_execute", fail)
    assert readers.get("/health/ready").status_code == 200


def test_a_database_without_its_tables_is_not_ready(
    database: Database, readers: TestClient
) -> None:
    with database.transaction() as session:
        session.execute(text("DROP TABLE alembic_version"))
    assert readers.get("/health/ready").status_code == 503
