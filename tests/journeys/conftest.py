"""A running newsletter per module and database; a story that needs its own settings makes one."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.support.newsletter import Newsletter, Operator, Reader
from tests.support.postgres import PostgresServer
from tests.support.service import Place, serving
from tests.support.smtpd import ScriptedServer

Opening = Callable[..., AbstractContextManager[Newsletter]]


@contextmanager
def database(engine: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give an empty database, and drop it at the end."""
    if engine == "sqlite":
        folder.joinpath("var").mkdir(parents=True, mode=0o700)
        yield f"sqlite:///{folder}/var/vestka.db"
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    url = postgres.fresh_database()
    try:
        yield url
    finally:
        postgres.drop(url)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """Each story is told on each database."""
    name: str = request.param
    return name


@contextmanager
def opened(
    engine: str,
    request: pytest.FixtureRequest,
    paths: pytest.TempPathFactory,
    settings: Mapping[str, str],
) -> Iterator[Newsletter]:
    """Run a newsletter of its own on this database, with these settings."""
    folder = paths.mktemp("journey")
    with database(engine, folder, request) as url, ScriptedServer() as relay:
        relays = {"VESTKA_RELAYS": f"smtp+insecure://127.0.0.1:{relay.port}"}
        place = Place(folder, url, {**relays, **settings})
        newsletter = Newsletter(place, relay)
        with serving(place) as newsletter.processes:
            yield newsletter


@pytest.fixture(scope="module")
def opening(
    engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Opening:
    """Give the way to open a newsletter that has settings of its own, as keywords."""

    def open_one(**settings: str) -> AbstractContextManager[Newsletter]:
        return opened(engine, request, tmp_path_factory, settings)

    return open_one


@pytest.fixture(scope="module")
def newsletter(opening: Opening) -> Iterator[Newsletter]:
    """The module's own newsletter, shared by its stories."""
    with opening() as running:
        yield running


@pytest.fixture
def reader(newsletter: Newsletter) -> Reader:
    return newsletter.reader


@pytest.fixture
def operator(newsletter: Newsletter) -> Operator:
    return newsletter.operator
