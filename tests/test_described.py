"""What both ports say of themselves is true: schemathesis, with all its checks, finds nothing.

The run is short and always the same; `schemathesis run URL/openapi.json --checks all` goes on for
longer against a service that runs.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import StopReason, from_schema
from schemathesis.engine.events import EngineFinished, FatalError, NonFatalError, ScenarioFinished

from app.addresses.public_keys import PublicKeys
from app.database import Database
from app.operators_server import create_operators
from app.public_server import create_public
from app.settings import Settings
from app.web.context import AppContext
from tests.support.builders import NEWSLETTER, PUBLIC_URL, a_key
from tests.support.clock import SetClock
from tests.support.smtpd import ScriptedServer

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def open_house(
    migrated_sqlite: Path, keys_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AppContext]:
    """An installation without limits: a thousand calls come from one client."""
    path = tmp_path_factory.mktemp("described") / "vestka.db"
    shutil.copy(migrated_sqlite, path)
    database = Database(f"sqlite:///{path}")
    with ScriptedServer() as relay:
        given = {
            "VESTKA_DATABASE_URL": f"sqlite:///{path}",
            "VESTKA_DATA_DIR": str(path.parent),
            "VESTKA_KEYS_DIR": str(keys_dir),
            "VESTKA_PUBLIC_URL": PUBLIC_URL,
            "VESTKA_FROM": "News <news@example.org>",
            "VESTKA_RELAYS": f"smtp+insecure://127.0.0.1:{relay.port}",
            "VESTKA_ALLOWED_HOSTS": "testserver",
            "VESTKA_RATE_LIMIT_CLIENT": "off",
            "VESTKA_RATE_LIMIT_TOTAL": "off",
        }
        keys = PublicKeys.load(keys_dir)
        yield AppContext(Settings(given), database, SetClock(), NEWSLETTER, keys)
    database.close()


def config(**project: Any) -> SchemathesisConfig:
    """The one that ships, for a short run in which nothing is left to chance."""
    made = SchemathesisConfig.from_path(ROOT / "schemathesis.toml")
    made.update(seed=1, max_failures=None)
    made.projects.default.generation.update(max_examples=5, database="none")
    made.projects.default.phases.stateful.enabled = False
    made.projects.default.update(workers=1, **project)
    return made


def findings(app: FastAPI, made: SchemathesisConfig) -> set[str]:
    """Run all checks on every call, and return what they found."""
    load_all_checks()
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=made)
    found, checked = set(), Counter[str]()
    for event in from_schema(schema).execute():
        if isinstance(event, NonFatalError | FatalError):
            found.add(str(event))
        elif isinstance(event, ScenarioFinished):
            for check in chain.from_iterable(event.recorder.checks.values()):
                checked[check.name] += 1
                if check.failure_info is not None:
                    failure = check.failure_info.failure
                    found.add(f"{failure.operation}: {failure.title}: {failure.message}")
        elif isinstance(event, EngineFinished):
            assert event.stop_reason == StopReason.COMPLETED
    assert len(checked) > 10, "or else nothing was checked"
    return found


def test_the_readers_port_is_as_described(open_house: AppContext) -> None:
    assert findings(create_public(open_house), config()) == set()


def test_the_operators_port_is_as_described(open_house: AppContext) -> None:
    key = a_key(open_house.database)
    with_key = config(headers={"Authorization": f"Bearer {key}"})
    assert findings(create_operators(open_house), with_key) == set()
