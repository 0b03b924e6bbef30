"""The fixtures every test may ask for."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:  # pytest must be the first to import the plugins, to explain their asserts
    from tests.support.postgres import PostgresServer

TESTS = Path(__file__).parent

pytest_plugins = (
    "tests.support.postgres",
    "tests.support.browser",
    "tests.support.builders",
    "tests.support.served",
    "tests.support.terminal",
)

# No law of ours is about time, and a busy machine breaks no law.
settings.register_profile(
    "dev", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", settings.get_profile("dev"), max_examples=200, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database: each test that asks runs once on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/vestka.db"
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    url = postgres.fresh_database()
    yield url
    postgres.drop(url)


# Files whose tests wait for processes. They begin first, so that none is left for the end, when it
# would keep one worker while the others have nothing to do.
LONG = ("worst_days", "crashes", "journeys", "cli", "races")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first; whatever else keeps its order."""
    order = {folder: place for place, folder in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.relative_to(TESTS).parts[0], len(order)))
