"""The ground that other tests stand on: databases that are really apart, a browser that obeys."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Page
from sqlalchemy import create_engine, inspect, text

from tests.support.browser import Browser
from tests.support.postgres import PREFIX, PostgresServer, running_server
from tests.support.smtpd import QUIET, ScriptedServer


def tables_of(url: str) -> list[str]:
    engine = create_engine(url)
    try:
        return inspect(engine).get_table_names()
    finally:
        engine.dispose()


def make_table(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE message (id INTEGER PRIMARY KEY)"))
    engine.dispose()


@pytest.mark.parametrize("time_of_asking", ["first", "second"])
def test_every_test_gets_an_empty_database(database_url: str, time_of_asking: str) -> None:
    assert tables_of(database_url) == []
    make_table(database_url)
    assert tables_of(database_url) == ["message"]


def test_a_template_is_made_once_and_copied(postgres: PostgresServer) -> None:
    made: list[str] = []

    def prepare(url: str) -> None:
        made.append(url)
        make_table(url)

    urls = [postgres.fresh_database(postgres.prepared("with-messages", prepare)) for _ in "ab"]
    try:
        assert len(made) == 1
        assert urls[0] != urls[1]
        assert [tables_of(url) for url in urls] == [["message"], ["message"]]
    finally:
        for url in urls:
            postgres.drop(url)


def test_a_database_is_dropped_under_an_open_connection(postgres: PostgresServer) -> None:
    url = postgres.fresh_database()
    with psycopg.connect(url) as connection:
        postgres.drop(url)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_the_server_ends_with_a_killed_test_run_and_its_folder_is_swept() -> None:
    program = (
        "import signal\n"
        "from tests.support.postgres import running_server\n"
        "with running_server() as url:\n"
        "    print(url, flush=True)\n"
        "    signal.pause()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as test_run:
        assert test_run.stdout is not None
        url = test_run.stdout.readline().strip()
        with psycopg.connect(url):
            pass
        test_run.send_signal(signal.SIGKILL)
    folder = Path(url.partition("host=")[2]).parent
    assert folder.name.startswith(PREFIX)
    assert wait_until_refused(url)
    with running_server():
        assert not folder.exists()
    assert not folder.exists()


def wait_until_refused(url: str) -> bool:
    for _ in range(200):
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            return True
        time.sleep(0.05)
    return False


def test_the_browser_shows_a_page_in_the_reader_s_language(browser: Browser) -> None:
    page = "data:text/html,<script>document.title = navigator.language</script><h1>Vestka</h1>"

    def title_and_heading(opened: Page) -> tuple[str, str]:
        opened.goto(page)
        return opened.title(), opened.locator("h1").inner_text()

    assert browser.visit(title_and_heading, locale="be-BY") == ("be-BY", "Vestka")
    assert browser.visit(title_and_heading, java_script_enabled=False) == ("", "Vestka")


def test_the_browser_leaves_the_tests_own_loops_alone(browser: Browser) -> None:
    browser.visit(lambda page: page.goto("about:blank"))
    assert asyncio.run(asyncio.sleep(0, "done")) == "done"


def test_what_fails_in_the_browser_fails_the_test(browser: Browser) -> None:
    def steps(page: Page) -> None:
        raise LookupError("no such button")

    with pytest.raises(LookupError, match="no such button"):
        browser.visit(steps)


def test_a_server_that_was_stopped_gets_its_port_again() -> None:
    """No client may be given it meanwhile: it is none of those that the system gives away."""
    with ScriptedServer() as server:
        assert server.port in QUIET
        port = server.port
        server.stop()
        server.start()
        assert server.port == port
