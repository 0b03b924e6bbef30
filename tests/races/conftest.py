"""Races are run on PostgreSQL: SQLite has one writer at a time."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.builders import prepare

if TYPE_CHECKING:
    from tests.support.postgres import PostgresServer


@pytest.fixture
def migrated_url(postgres: "PostgresServer") -> Iterator[str]:
    """The URL of a database with all tables and no rows."""
    url = postgres.fresh_database(postgres.prepared("migrated", prepare))
    yield url
    postgres.drop(url)
