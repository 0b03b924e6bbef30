"""What a request may hold open: never a read and a write at once.

On SQLite without WAL the two wait for each other: the reader for its turn to write, and whoever is
writing for the reader to end.
"""

from collections.abc import Iterator

import pytest
from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from app.archive import api as archive_api
from app.archive import pages as archive_pages
from app.deliveries import api as deliveries_api
from app.deliveries import testing_api
from app.editions import api as editions_api
from app.issues import api as issues_api
from app.operators import api as operators_api
from app.outcomes import api as outcomes_api
from app.subscribers import api as subscribers_api
from app.subscribers import counts_api
from app.subscribers import pages as subscribers_pages
from app.suppressions import api as suppressions_api
from app.web import context

ROOMS = (
    *(deliveries_api, testing_api, editions_api, issues_api, operators_api),
    *(subscribers_api, subscribers_pages, counts_api, archive_api, archive_pages),
    *(suppressions_api, outcomes_api),
)


def calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for each in dependant.dependencies:
        yield from calls(each)


def routes() -> Iterator[APIRoute]:
    for room in ROOMS:
        router: APIRouter = room.router
        yield from (route for route in router.routes if isinstance(route, APIRoute))


@pytest.mark.parametrize("route", list(routes()), ids=lambda route: f"{route.name}")
def test_a_request_reads_or_writes_in_one_session(route: APIRoute) -> None:
    used = set(calls(route.dependant))
    assert not {context._reading, context._transaction} <= used


def test_some_routes_read_and_some_write() -> None:
    """Otherwise the law above would hold for nothing."""
    used = [set(calls(route.dependant)) for route in routes()]
    assert any(context._reading in each for each in used)
    assert any(context._transaction in each for each in used)
