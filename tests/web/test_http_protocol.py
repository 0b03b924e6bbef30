"""What is too large, too slow or no HTTP is answered like any "no", and then the line is cut."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from app.web import http_protocol
from app.web.connection_table import ConnectionTable
from app.web.http_protocol import HEAD, Connection
from app.web.http_server import HttpServer
from app.web.listening import listening_socket
from app.web.request_limits import FIELDS, RequestLimits
from app.web.security_headers import HEADERS

POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    length = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": body})


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]


def spoken(talk: Talk, look: Callable[[Connection], None] = lambda _: None) -> bytes:
    """Serve `echo`, and return what `talk` heard on one connection; `look` at it at the end."""

    async def serve() -> bytes:
        with listening_socket("127.0.0.1", 0) as sock:
            server = HttpServer(echo, ConnectionTable(10), 10)
            serving = asyncio.create_task(server.serve([sock]))
            reader, writer = await asyncio.open_connection(*sock.getsockname())
            heard = await talk(reader, writer)
            for connection in server.server_state.connections:
                assert isinstance(connection, Connection)
                look(connection)
            writer.close()
            server.should_exit = True
            await serving
            return heard

    return asyncio.run(serve())


def sending(*parts: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), 20)

    return talk


def refused(heard: bytes) -> int:
    """See that this is a whole problem with all its headers; return its status."""
    head, _, body = heard.partition(b"\r\n\r\n")
    told = json.loads(body)
    assert head.startswith(b"HTTP/1.1 %d " % told["status"])
    assert b"application/problem+json" in head
    assert all(name in head.lower() for name, _ in HEADERS)
    assert b"connection: close" in head.lower()
    status: int = told["status"]
    return status


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_WITHIN", 0.2)


def test_what_is_no_http_is_refused() -> None:
    for junk in (
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"EHLO x\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
    ):
        assert refused(spoken(sending(junk))) == 400


def test_a_head_that_grows_on_is_refused() -> None:
    long = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * (HEAD + 1)
    assert refused(spoken(sending(long))) == 431


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: loc"])
def test_a_head_that_does_not_come_is_not_waited_for(begun: bytes) -> None:
    assert refused(spoken(sending(begun))) == 408


@pytest.mark.usefixtures("hurried")
def test_the_head_s_time_is_not_the_body_s() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        for _ in range(2):  # and the second request has a time of its own
            writer.write(POST)
            await asyncio.sleep(0.5)
            writer.write(b"hello")
            assert b"200" in await reader.readuntil(b"hello")
        return b""

    spoken(talk)


def test_no_part_of_an_answer_waits_for_the_client_to_confirm_another() -> None:
    seen = []

    def look(connection: Connection) -> None:
        sock = connection.transport.get_extra_info("socket")
        seen.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(POST + b"hello")
        return await reader.readuntil(b"hello")

    spoken(talk, look)
    assert seen == [1]


def test_an_upgrade_is_not_made(caplog: pytest.LogCaptureFixture) -> None:
    asking = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\n"
    heard = spoken(sending(asking + b"Upgrade: websocket\r\nConnection: close\r\n\r\n"))
    assert heard.startswith(b"HTTP/1.1 200")
    assert not [each for each in caplog.records if "pgrade" in each.message]


def test_too_many_headers_are_refused(readers: TestClient) -> None:
    for headers in ({f"x-{n}": "" for n in range(FIELDS)}, {"x": "x" * HEAD}):
        answer = readers.get("/form", headers=headers)
        assert answer.status_code == answer.json()["status"] == 431
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def stalled() -> Any:
        await asyncio.Event().wait()

    async def call() -> None:
        scope = {"type": "http", "headers": [], "raw_path": b"/", "query_string": b""}

        async def send(message: Any) -> None:
            raise AssertionError

        await RequestLimits(echo, limit=10, within=0.05)(scope, stalled, send)

    with pytest.raises(Exception, match="408"):
        asyncio.run(call())
