"""Told to stop, a service ends in the time it was given, whatever a relay or a client does.

What is on the wire then is uncertain and listed; everything else goes back, and nobody gets two.
"""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from app.deliveries.ledger.states import CLAIMED, DEFERRED, PENDING, SENT, UNCERTAIN
from tests.crashes.harness import CONNECTIONS, Ground, await_that, ground
from tests.crashes.proxy import Proxy
from tests.crashes.test_kills import listed_as_uncertain
from tests.support.newsletter import Newsletter
from tests.support.postgres import PostgresServer
from tests.support.service import Place, Process, eventually
from tests.support.smtpd import Misdeed, ScriptedServer

READERS = 60
WITHIN = {"VESTKA_STOP_WITHIN": "3s"}
NEVER = 3600.0  # seconds


@contextmanager
def sending(folder: Path, url: str, relay: ScriptedServer | None = None) -> Iterator[Ground]:
    """A mailing that is on its way, by senders that have three seconds to stop."""
    with ground(folder, url, readers=READERS, relay=relay) as made:
        made.settings_besides = WITHIN
        yield made


def goes_on_with_a_good_relay(made: Ground) -> None:
    """Let a new sender end the mailing, by the same relay in a better mood."""
    made.relay.stop()
    made.relay.behave()
    made.relay.start()
    made.start()
    made.await_end()


def test_messages_whose_final_dot_is_never_answered_are_uncertain_and_no_others(
    database_url: str, tmp_path: Path
) -> None:
    with sending(tmp_path, database_url) as made:
        made.relay.on(Misdeed("DOT", skip=20, delay=NEVER))
        sender = made.start()
        made.await_messages(20 + CONNECTIONS)
        assert sender.terminate() == 0, sender.log.read_text()
        assert made.count(UNCERTAIN) == CONNECTIONS == len(listed_as_uncertain(made))
        assert made.count(SENT) == 20
        assert made.count(PENDING) == READERS - 20 - CONNECTIONS
        goes_on_with_a_good_relay(made)
        assert made.faults(uncertain=CONNECTIONS) == []
        assert made.taken().total() == READERS


@pytest.mark.parametrize("stage", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"])
def test_a_relay_that_falls_silent_before_the_final_dot_leaves_nothing_uncertain(
    stage: str, database_url: str, tmp_path: Path
) -> None:
    with sending(tmp_path, database_url) as made:
        made.relay.on(Misdeed(stage, delay=NEVER))
        sender = made.start()
        made.relay.wait_for(stage, CONNECTIONS)
        assert sender.terminate() == 0, sender.log.read_text()
        assert made.count(PENDING) + made.count(DEFERRED) == READERS
        assert made.taken().total() == 0
        goes_on_with_a_good_relay(made)
        assert made.faults(uncertain=0) == []


def trickles(connection: socket.socket) -> None:
    """Say a line of the greeting again and again, and never its last."""
    with connection:
        gone = threading.Event()
        while not gone.wait(0.2):
            try:
                connection.sendall(b"220-patience\r\n")
            except OSError:
                return


def never_reads(connection: socket.socket) -> None:
    """Take the connection and leave it lying."""
    threading.Event().wait(NEVER)


@contextmanager
def odd_relay(behaviour: Callable[[socket.socket], None]) -> Iterator[tuple[int, threading.Event]]:
    """Give the port of a relay of this behaviour, and what tells that somebody called it."""
    called = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                called.set()
                threading.Thread(target=behaviour, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1], called
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("behaviour", [trickles, never_reads])
def test_a_relay_that_wastes_our_time_holds_up_no_stop(
    behaviour: Callable[[socket.socket], None], database_url: str, tmp_path: Path
) -> None:
    with sending(tmp_path, database_url) as made, odd_relay(behaviour) as (port, called):
        made.settings_besides = {
            **WITHIN,
            "VESTKA_RELAYS": f"smtp+insecure://127.0.0.1:{port}",
        }
        sender = made.start()
        await_that("a call", called.is_set)
        assert sender.terminate() == 0, sender.log.read_text()
        assert made.count(PENDING) == READERS
        made.settings_besides = WITHIN
        made.start()
        made.await_end()
        assert made.faults(uncertain=0) == []


def test_told_twice_and_thrice_it_stops_as_it_would(database_url: str, tmp_path: Path) -> None:
    with sending(tmp_path, database_url) as made:
        made.relay.on(Misdeed("DOT", skip=5, delay=NEVER))
        sender = made.start()
        made.await_messages(5 + CONNECTIONS)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            sender.process.send_signal(number)
        assert sender.terminate() == 0, sender.log.read_text()
        assert made.count(UNCERTAIN) == CONNECTIONS
        goes_on_with_a_good_relay(made)
        assert made.faults(uncertain=CONNECTIONS) == []


@pytest.mark.parametrize("how", ["silent", "away"])
def test_a_database_that_is_silent_or_away_holds_up_no_stop(
    how: str, postgres: PostgresServer, tmp_path: Path
) -> None:
    """Nothing can be given back then; the next start does it, from the journal."""
    url = postgres.fresh_database()
    parsed = make_url(url)
    with (
        Proxy(f"{parsed.query['host']}/.s.PGSQL.5432") as proxy,
        sending(tmp_path, url) as made,
    ):
        through = parsed.set(host="127.0.0.1", port=proxy.port).difference_update_query(["host"])
        made.url = through.render_as_string(hide_password=False)
        made.relay.on(Misdeed("DOT", delay=0.05))
        sender = made.start()
        made.await_messages(10)
        if how == "silent":
            proxy.hold()
        else:
            proxy.cut()
        sender.terminate()
        assert "Traceback" not in sender.log.read_text()
        proxy.mend()
        made.start()
        made.await_end()
        assert made.faults(uncertain=CONNECTIONS) == []
    postgres.drop(url)


def test_a_locked_database_holds_up_no_stop(tmp_path: Path) -> None:
    with sending(tmp_path, f"sqlite:///{tmp_path}/vestka.db") as made:
        made.relay.on(Misdeed("DOT", delay=0.05))
        sender = made.start()
        made.await_messages(10)
        with made.database.transaction():
            sender.terminate()
        made.start()
        made.await_end()
        assert made.faults(uncertain=CONNECTIONS) == []


def test_a_process_that_decrypts_and_hangs_holds_up_no_stop(
    database_url: str, tmp_path: Path
) -> None:
    with ground(tmp_path, database_url, readers=1500) as made:
        made.settings_besides = WITHIN
        sender = made.start()
        helpers: list[int] = []

        def started() -> bool:  # once messages are claimed by the hundred
            helpers[:] = children_of(sender.process.pid)
            return bool(helpers)

        await_that("a process that decrypts", started)
        for helper in helpers:
            os.kill(helper, signal.SIGSTOP)
        try:
            sender.terminate()
            assert made.count(CLAIMED) == 0
        finally:
            for helper in helpers:
                os.kill(helper, signal.SIGKILL)
        goes_on_with_a_good_relay(made)
        assert made.faults(uncertain=CONNECTIONS) == []


def children_of(pid: int) -> list[int]:
    """Return the processes that a process started."""
    return [
        int(child)
        for children in Path(f"/proc/{pid}/task").glob("*/children")
        for child in children.read_text().split()
    ]


@pytest.fixture
def newsletter(database_url: str, tmp_path: Path) -> Iterator[Newsletter]:
    """A newsletter whose service is down, and has three seconds to stop once it runs."""
    with ScriptedServer() as relay:
        tmp_path.joinpath("var").mkdir(exist_ok=True, mode=0o700)
        settings = {"VESTKA_RELAYS": f"smtp+insecure://127.0.0.1:{relay.port}", **WITHIN}
        yield Newsletter(Place(tmp_path, database_url, settings), relay)


@pytest.mark.parametrize("role", ["all", "public", "operators"])
def test_slow_clients_hold_up_no_stop(role: str, newsletter: Newsletter) -> None:
    place = newsletter.place
    if role == "all":  # of whose time the ports have a third
        place.environment["VESTKA_STOP_WITHIN"] = "9s"
    else:  # whose keys are made by the sender
        first = Process(place)
        first.ready()
        assert first.stop() == 0
    process = Process(place, role)
    process.ready()
    ports = {"public": [place.public_port], "operators": [place.operators_port]}.get(
        role, [place.public_port, place.operators_port]
    )
    begun = b"POST /v1/subscriptions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json"
    clients = []
    for port in ports:
        for said in (b"", b"GET /", begun, begun + b"\r\nContent-Length: 900\r\n\r\n{"):
            client = socket.create_connection(("127.0.0.1", port), timeout=30)
            client.sendall(said)
            clients.append(client)
    assert process.stop() == 0, process.log.read_text()
    for client in clients:
        client.close()


def test_an_imap_server_that_is_silent_holds_up_no_stop(newsletter: Newsletter) -> None:
    with odd_relay(never_reads) as (port, called):
        place = newsletter.place
        place.environment["VESTKA_BOUNCE_IMAP"] = f"imap+insecure://u:p@127.0.0.1:{port}/INBOX"
        process = Process(place)
        process.ready()
        eventually(called.is_set, "a look into the mailbox")
        assert process.stop() == 0, process.log.read_text()
