"""Test messages: marked, sent at once, signed as real ones are, and nothing of them is kept."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import dkim
import pytest
from fastapi.testclient import TestClient

from app.database import Database
from app.deliveries.ledger.models import Delivery
from app.mail.dkim.coverage import read_arrived
from app.mail.dkim.dkim_keys import create_dkim_key
from app.server import create_operators
from app.settings import Settings
from app.web.context import AppContext
from tests.support.builders import PUBLIC_URL, a_key, an_issue, everything, visitor
from tests.support.smtpd import ScriptedServer

CALL = "/v1/issues/2025-W04/test-letters"


@pytest.fixture
def relay() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def keys(keys_dir: Path, tmp_path: Path) -> Path:
    return shutil.copytree(keys_dir, tmp_path / "own")


@pytest.fixture
def editors(installation: AppContext, relay: ScriptedServer, keys: Path) -> TestClient:
    """The operators' port with a relay that answers, and a draft."""
    settings = Settings(
        {
            "VESTKA_KEYS_DIR": str(keys),
            "VESTKA_PUBLIC_URL": PUBLIC_URL,
            "VESTKA_FROM": "News <news@example.org>",
            "VESTKA_RELAYS": f"smtp+insecure://127.0.0.1:{relay.port}",
        }
    )
    with installation.database.transaction() as session:
        an_issue(session)
    client = visitor(create_operators(replace(installation, settings=settings)))
    client.headers["Authorization"] = f"Bearer {a_key(installation.database)}"
    return client


def test_a_draft_goes_to_the_given_address_marked(
    editors: TestClient, relay: ScriptedServer, database: Database
) -> None:
    before = everything(database)["deliveries"]
    answer = editors.post(CALL, json={"to": ["ann@example.org"], "segment": "BE/RU"})
    assert answer.status_code == 200, answer.text
    assert [(each["index"], each["sent"]) for each in answer.json()] == [(0, True)]
    (taken,) = relay.messages
    message = message_from_bytes(taken.raw, policy=policy.default)
    assert str(message["Subject"]).startswith("[Test] ")
    assert message["To"] == "ann@example.org"
    assert message["DKIM-Signature"] is None
    assert everything(database)[Delivery.__tablename__] == before == []


def test_it_is_signed_if_there_is_a_key(
    editors: TestClient, relay: ScriptedServer, keys: Path
) -> None:
    key = create_dkim_key(keys, "a1", "rsa", "example.org")
    assert editors.post(CALL, json={"to": ["ann@example.org"]}).json()[0]["sent"]
    (taken,) = relay.messages
    assert read_arrived(taken.raw).covered
    assert dkim.DKIM(taken.raw).verify(dnsfunc=lambda *_, **__: key.record.encode())


def test_a_relay_that_is_down_is_told(editors: TestClient, relay: ScriptedServer) -> None:
    relay.stop()
    answer = editors.post(CALL, json={"to": ["ann@example.org"]})
    assert answer.status_code == 502, answer.text


def test_a_wrong_address_is_named_by_its_place_and_not_repeated(editors: TestClient) -> None:
    answer = editors.post(CALL, json={"to": ["ann@example.org", "sesame@"]})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["to.1"]
    assert "sesame" not in answer.text
