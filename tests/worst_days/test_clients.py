"""One hostile client, or a hundred: the form, one click and the mailing go on for all others.

The service may open few files only, so that whatever is not bounded shows.
"""

import contextlib
import resource
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from app.issues.week import Week
from tests.journeys.conftest import database
from tests.support.hostile_clients import GET, POST, Swarm, many_files
from tests.support.newsletter import Newsletter, an_issue
from tests.support.service import Place, Process, eventually
from tests.support.smtpd import ScriptedServer

FILES = 400  # that a process of the service may open
MANY = [f"127.0.7.{number}" for number in range(1, 101)]
LONG_ENOUGH = 90.0  # seconds in which the service gives up whoever it waits for
FEW_LINES = 60  # of a log in a minute or two, whatever clients do
FIRST = date(2024, 1, 1)
weeks = (str(Week.of(FIRST + timedelta(weeks=number))) for number in count())
readers = (f"reader{number}@example.org" for number in count(1))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def newsletter(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Newsletter]:
    """One newsletter for each database, whose processes may open few files."""
    folder = tmp_path_factory.mktemp("clients")
    limits = {"VESTKA_RATE_LIMIT_CLIENT": "off", "VESTKA_RATE_LIMIT_TOTAL": "off"}
    with database(request.param, folder, request) as url, ScriptedServer() as relay, many_files():
        relays = {"VESTKA_RELAYS": f"smtp+insecure://127.0.0.1:{relay.port}"}
        made = Newsletter(Place(folder, url, {**relays, **limits}), relay)
        process = Process(made.place)
        resource.prlimit(process._process.pid, resource.RLIMIT_NOFILE, (FILES, FILES))
        made.processes = [process]
        try:
            process.ready()
            yield made
        finally:
            assert process.stop() == 0, process.log.read_text()


@contextlib.contextmanager
def unharmed(newsletter: Newsletter) -> Iterator[None]:
    """Whatever happens inside: nothing ends, and the log stays short and without tracebacks."""
    (process,) = newsletter.processes
    before = len(process.log.read_text())
    yield
    goes_on(newsletter)
    said = process.log.read_text()[before:]
    assert "Traceback" not in said
    assert len(said.splitlines()) < FEW_LINES, said[:5_000]


def goes_on(newsletter: Newsletter) -> None:
    """Somebody signs up, confirms, gets an issue and leaves by one click."""
    address, week = next(readers), next(weeks)
    newsletter.reader.is_confirmed(address, ["en"], "en")
    newsletter.operator.publishes(an_issue(week, "en"), "en")
    message = eventually(lambda: newsletter.issues_to(address), "the issue")[-1]
    assert newsletter.reader.unsubscribes_by_one_click(message).status == 200


def is_over(swarm: Swarm) -> bool:
    return not swarm.held()


def has_room(swarm: Swarm) -> bool:
    return swarm.held() < FILES


def ports(newsletter: Newsletter) -> list[int]:
    return [newsletter.place.public_port, newsletter.place.operators_port]


@pytest.mark.parametrize("callers", [["127.0.0.1"], MANY], ids=["one client", "a hundred"])
def test_connections_that_ask_nothing(newsletter: Newsletter, callers: list[str]) -> None:
    with unharmed(newsletter), contextlib.ExitStack() as stack:
        swarms = [stack.enter_context(Swarm(port, callers)) for port in ports(newsletter)]
        for swarm in swarms:
            swarm.connect(1_400)
            eventually(partial(has_room, swarm), "room for others")
        goes_on(newsletter)
        for swarm in swarms:
            eventually(partial(is_over, swarm), "all to be ended", LONG_ENOUGH)


# None of these requests reaches a database, so one kind is enough.
@pytest.mark.parametrize("newsletter", ["sqlite"], indirect=True)
@pytest.mark.parametrize("callers", [["127.0.0.1"], MANY], ids=["one client", "a hundred"])
@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (b"GET / HTTP/1.1\r\nX: ", b"x"),
        (POST + b"Content-Length: 9000\r\n\r\n{", b" "),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", b"1\r\n \r\n"),
        (POST + b"Expect: 100-continue\r\nContent-Length: 9000\r\n\r\n", b" "),
    ],
)
def test_requests_that_never_end(
    newsletter: Newsletter, callers: list[str], begun: bytes, more: bytes
) -> None:
    with unharmed(newsletter), Swarm(newsletter.place.public_port, callers) as swarm:
        swarm.connect(300)
        swarm.send(begun)
        goes_on(newsletter)

        def are_over() -> bool:
            swarm.send(more)
            return not swarm.held()

        eventually(are_over, "all to be given up", LONG_ENOUGH)


def test_clients_that_ask_and_never_read(newsletter: Newsletter) -> None:
    with unharmed(newsletter), Swarm(newsletter.place.public_port) as swarm:
        swarm.connect(50)
        swarm.stuff(GET * 200, 40)
        goes_on(newsletter)
        eventually(lambda: not swarm.held(), "all to be dropped", LONG_ENOUGH)


@pytest.mark.parametrize("rudely", [False, True])
@pytest.mark.parametrize(
    "begun",
    [
        POST + b"Content-Length: 9000\r\n\r\n{",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
        POST.replace(b"/v1/subscriptions", b"/unsubscribe/b-x") + b"Content-Length: 9000\r\n\r\nL",
        GET * 20,
        GET[:-2],
        b"",
    ],
)
def test_clients_that_go_away(newsletter: Newsletter, begun: bytes, rudely: bool) -> None:  # noqa: FBT001 - a case
    with unharmed(newsletter):
        for port in ports(newsletter):
            for _ in range(3):
                with Swarm(port) as swarm:
                    swarm.connect(100)
                    swarm.send(begun)
                    swarm.leave(rudely=rudely)


def test_no_file_is_left_to_open(newsletter: Newsletter) -> None:
    """The machine's own administrator takes files away while clients hold connections."""
    (process,) = newsletter.processes
    pids = family(process._process.pid)
    with unharmed(newsletter):
        with Swarm(newsletter.place.public_port, MANY) as swarm:
            for pid in pids:
                used = len(list(Path(f"/proc/{pid}/fd").iterdir()))
                resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 4, FILES))
            swarm.connect(200)
            eventually(lambda: "no open file is left" in process.log.read_text(), "a word of it")
        for pid in pids:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (FILES, FILES))


def family(pid: int) -> list[int]:
    """This process and all that it started."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    children = [int(word) for word in listed.stdout.split()]
    return [pid, *(each for child in children for each in family(child))]
