"""Whatever a relay does, `send` says how far the message came, and notes exactly what may be taken.

Real sockets on loopback, and a server that misbehaves on script.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import pytest

from app.mail.relay import Relay
from app.mail.replies import Answer, Outcome, Reply, Stage, classify
from app.mail.smtp.connection import Connection
from app.mail.smtp.envelope import EnvelopeUnsafe, on_the_wire
from app.mail.smtp.timeouts import PATIENT, Timeouts
from tests.support.smtpd import (
    Certificates,
    Misdeed,
    ScriptedServer,
    closed_port,
    self_made,
    silent_server,
)

MESSAGE = b"Subject: Week\r\n\r\nA line.\r\n.a dot\r\n..two dots\r\n.\r\nThe end.\r\n"
SENDER, ANN, BOB = "b-7@bounces.example.org", "ann@example.org", "bob@example.org"
HASTY = Timeouts(greeting=0.3, command=0.3, data=0.3, dot=0.3)

T = TypeVar("T")


def insecure(port: int) -> Relay:
    return Relay.parse(f"smtp+insecure://127.0.0.1:{port}")


async def opened(
    relay: Relay, context: ssl.SSLContext | None = None, timeouts: Timeouts = PATIENT
) -> Connection:
    connection = await Connection.open(relay, "sender.example.org", context, timeouts)
    assert isinstance(connection, Connection), connection
    return connection


async def refused(
    relay: Relay, context: ssl.SSLContext | None = None, timeouts: Timeouts = PATIENT
) -> Answer:
    answer = await Connection.open(relay, "sender.example.org", context, timeouts)
    assert isinstance(answer, Answer)
    return answer


class Conversation:
    """One connection, the answers it gave, and how often an attempt was noted."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.noted = 0
        self.was_noted = asyncio.Event()

    def note(self) -> None:
        self.noted += 1
        self.was_noted.set()

    async def send(self, recipient: str = ANN, message: bytes = MESSAGE) -> Answer:
        return await self.connection.send(SENDER, recipient, message, noted=self.note)


def converse(
    server: ScriptedServer,
    talk: Callable[[Conversation], Coroutine[Any, Any, T]],
    timeouts: Timeouts = PATIENT,
) -> T:
    async def run() -> T:
        conversation = Conversation(await opened(insecure(server.port), timeouts=timeouts))
        try:
            return await talk(conversation)
        finally:
            await conversation.connection.close()

    return asyncio.run(run())


def test_a_message_goes_out_byte_for_byte_and_is_noted_once() -> None:
    async def talk(conversation: Conversation) -> None:
        answer = await conversation.send()
        assert answer.stage is Stage.DOT
        assert answer.reply is not None
        assert (answer.reply.code, answer.reply.enhanced) == (250, "2.0.0")
        assert conversation.noted == 1

    with ScriptedServer() as server:
        converse(server, talk)
    [message] = server.messages
    assert (message.sender, message.recipients, message.raw) == (SENDER, (ANN,), MESSAGE)
    assert server.verbs() == ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "DOT", "QUIT"]
    assert server.record.commands[2][2] == f"FROM:<{SENDER}> SIZE={len(MESSAGE)}"


def sent_to_a_raw_socket(last_reply: bytes) -> tuple[Answer, bool, bytes]:
    """Send to a socket that knows no SMTP but the replies, and keeps every byte until we leave.

    Gives the answer, whether the connection was usable then, and what was heard.
    """
    heard = bytearray()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            for reply in (b"220 a\r\n", b"250 a\r\n", b"250 b\r\n", b"250 c\r\n", b"354 d\r\n"):
                connection.sendall(reply)
                heard.extend(connection.recv(65536))
            while not heard.endswith(b"\r\n.\r\n"):
                heard.extend(connection.recv(65536))
            connection.sendall(last_reply)
            while more := connection.recv(65536):
                heard.extend(more)

    async def send(port: int) -> tuple[Answer, bool]:
        connection = await opened(insecure(port))
        answer = await connection.send(SENDER, ANN, MESSAGE, noted=lambda: None)
        usable = connection.usable
        connection.abort()
        return answer, usable

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        answer, usable = asyncio.run(send(listener.getsockname()[1]))
        thread.join(10)
    return answer, usable, bytes(heard)


def test_the_bytes_on_the_wire_are_the_message_stuffed() -> None:
    answer, usable, heard = sent_to_a_raw_socket(b"250 taken\r\n")
    assert answer == Answer(Stage.DOT, Reply(250, None, ""))
    assert usable
    assert heard == (
        b"EHLO sender.example.org\r\n"
        b"MAIL FROM:<b-7@bounces.example.org>\r\n"
        b"RCPT TO:<ann@example.org>\r\n"
        b"DATA\r\n"
        b"Subject: Week\r\n\r\nA line.\r\n..a dot\r\n...two dots\r\n..\r\nThe end.\r\n.\r\n"
    )


def test_after_421_we_leave_even_if_the_relay_does_not() -> None:
    answer, usable, heard = sent_to_a_raw_socket(b"421 4.3.2 Closing\r\n")
    assert answer == Answer(Stage.DOT, Reply(421, "4.3.2", "Closing"))
    assert not usable
    assert heard.endswith(b"\r\n.\r\n")


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (b"a\r\n", b"a\r\n.\r\n"),
        (b".a\r\n.\r\n..\r\n", b"..a\r\n..\r\n...\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b"a.\r\nb.c\r\n", b"a.\r\nb.c\r\n.\r\n"),
    ],
)
def test_dots_are_stuffed(message: bytes, wire: bytes) -> None:
    assert on_the_wire(message) == wire


def test_many_messages_use_one_connection() -> None:
    async def talk(conversation: Conversation) -> None:
        for _ in range(5):
            assert classify(await conversation.send()).outcome is Outcome.ACCEPTED

    with ScriptedServer() as server:
        converse(server, talk)
    assert server.record.connections == 1
    assert len(server.messages) == 5


@pytest.mark.parametrize(
    ("command", "stage", "noted"),
    [
        ("MAIL", Stage.MAIL, 0),
        ("RCPT", Stage.RCPT, 0),
        ("DATA", Stage.DATA, 0),
        ("DOT", Stage.DOT, 1),
    ],
)
@pytest.mark.parametrize(
    "line", ["450 4.2.0 Later", "550 5.1.1 Never", "550 5.1.1 No\n550 5.1.1 never"]
)
def test_a_refusal_is_told_by_its_stage_and_the_next_message_goes(
    command: str, stage: Stage, noted: int, line: str
) -> None:
    async def talk(conversation: Conversation) -> None:
        answer = await conversation.send(BOB)
        assert answer.stage is stage
        assert answer.reply is not None
        assert not answer.reply.positive
        assert conversation.noted == noted
        assert conversation.connection.usable
        assert classify(await conversation.send(ANN)).outcome is Outcome.ACCEPTED

    with ScriptedServer(Misdeed(command, reply=line, times=1)) as server:
        converse(server, talk)
    assert [message.recipients for message in server.messages] == [(ANN,)]
    assert "RSET" in server.verbs()


def test_one_refused_reader_among_many() -> None:
    async def talk(conversation: Conversation) -> list[Outcome]:
        people = [ANN, BOB, ANN]
        return [classify(await conversation.send(person)).outcome for person in people]

    with ScriptedServer(Misdeed("RCPT", "bob@", reply="550 5.1.1 <bob@example.org> no")) as server:
        outcomes = converse(server, talk)
    assert outcomes == [Outcome.ACCEPTED, Outcome.FAILED, Outcome.ACCEPTED]
    assert server.record.connections == 1


def test_a_reply_names_nobody() -> None:
    async def talk(conversation: Conversation) -> Answer:
        return await conversation.send(BOB)

    with ScriptedServer(Misdeed("RCPT", reply="550 5.1.1 <bob@example.org>: no Bob")) as server:
        answer = converse(server, talk)
    assert "bob" not in repr(answer).lower()


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "DOT"])
def test_after_421_the_connection_is_not_used_again(command: str) -> None:
    async def talk(conversation: Conversation) -> None:
        answer = await conversation.send()
        assert answer.reply is not None
        assert answer.reply.code == 421
        assert classify(answer).outcome is Outcome.RETRY
        assert not conversation.connection.usable

    with ScriptedServer(Misdeed(command, reply="421 4.3.2 Closing")) as server:
        converse(server, talk)
    assert server.messages == ()


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("drop", ["before", "after"])
def test_lost_before_the_message_was_said_is_safe_to_repeat(command: str, drop: Any) -> None:
    async def talk(conversation: Conversation) -> None:
        answer = await conversation.send()
        assert answer.reply is None
        assert answer.stage is Stage(command.lower())
        assert classify(answer).outcome is Outcome.RETRY
        assert conversation.noted == 0
        assert not conversation.connection.usable

    with ScriptedServer(Misdeed(command, drop=drop)) as server:
        converse(server, talk)
    assert server.messages == ()


@pytest.mark.parametrize(("drop", "taken"), [("before", 0), ("after", 1)])
def test_lost_after_the_dot_is_uncertain_and_noted(drop: Any, taken: int) -> None:
    async def talk(conversation: Conversation) -> None:
        answer = await conversation.send()
        assert (answer.stage, answer.reply) == (Stage.DOT, None)
        assert classify(answer).outcome is Outcome.UNCERTAIN
        assert conversation.noted == 1
        assert not conversation.connection.usable

    with ScriptedServer(Misdeed("DOT", drop=drop)) as server:
        converse(server, talk)
    assert len(server.messages) == taken


@pytest.mark.parametrize(
    ("command", "outcome"),
    [("MAIL", Outcome.RETRY), ("RCPT", Outcome.RETRY), ("DOT", Outcome.UNCERTAIN)],
)
def test_half_a_reply_is_no_reply(command: str, outcome: Outcome) -> None:
    async def talk(conversation: Conversation) -> None:
        answer = await conversation.send()
        assert answer.reply is None
        assert classify(answer).outcome is outcome

    with ScriptedServer(Misdeed(command, half=True)) as server:
        converse(server, talk)


@pytest.mark.parametrize(
    ("command", "outcome"),
    [("MAIL", Outcome.RETRY), ("DATA", Outcome.RETRY), ("DOT", Outcome.UNCERTAIN)],
)
def test_what_is_no_smtp_is_no_reply(command: str, outcome: Outcome) -> None:
    async def talk(conversation: Conversation) -> None:
        answer = await conversation.send()
        assert answer.reply is None
        assert answer.trouble == "The relay answered something that is no SMTP reply."
        assert classify(answer).outcome is outcome
        assert not conversation.connection.usable

    with ScriptedServer(Misdeed(command, reply="what?")) as server:
        converse(server, talk)


@pytest.mark.parametrize(
    ("command", "outcome"), [("RCPT", Outcome.RETRY), ("DOT", Outcome.UNCERTAIN)]
)
def test_a_reply_that_comes_too_late_is_no_reply(command: str, outcome: Outcome) -> None:
    async def talk(conversation: Conversation) -> None:
        answer = await conversation.send()
        assert answer.reply is None
        assert answer.trouble == "The relay did not answer in time."
        assert classify(answer).outcome is outcome
        assert not conversation.connection.usable

    with ScriptedServer(Misdeed(command, delay=30)) as server:
        converse(server, talk, HASTY)


def test_a_slow_reply_is_waited_for() -> None:
    async def talk(conversation: Conversation) -> None:
        assert classify(await conversation.send()).outcome is Outcome.ACCEPTED

    with ScriptedServer(Misdeed("DOT", delay=0.5)) as server:
        converse(server, talk)


def test_if_the_attempt_cannot_be_noted_the_relay_takes_nothing() -> None:
    async def talk(conversation: Conversation) -> None:
        def full() -> None:
            raise OSError("no space left")

        with pytest.raises(OSError, match="no space"):
            await conversation.connection.send(SENDER, ANN, MESSAGE, noted=full)
        assert not conversation.connection.usable

    with ScriptedServer() as server:
        converse(server, talk)
    assert server.messages == ()


def test_a_cancelled_message_ends_the_connection() -> None:
    async def talk(conversation: Conversation) -> None:
        sending = asyncio.create_task(conversation.send())
        await conversation.was_noted.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert not conversation.connection.usable

    with ScriptedServer(Misdeed("DOT", delay=30)) as server:
        converse(server, talk)


def test_a_connection_the_relay_left_between_messages() -> None:
    async def talk(conversation: Conversation) -> None:
        await conversation.send()
        server.stop()
        answer = await conversation.send()
        assert classify(answer).outcome is Outcome.RETRY
        assert conversation.noted == 1
        assert not conversation.connection.usable

    with ScriptedServer() as server:
        converse(server, talk)


def test_a_failing_reset_ends_the_connection_and_keeps_the_answer() -> None:
    async def talk(conversation: Conversation) -> None:
        answer = await conversation.send()
        assert answer.reply == Reply(550, "5.1.1", "no")
        answer = await conversation.send()
        assert answer.reply is None
        assert classify(answer).outcome is Outcome.RETRY
        assert not conversation.connection.usable

    with ScriptedServer(
        Misdeed("RCPT", reply="550 5.1.1 no"), Misdeed("RSET", drop="before")
    ) as server:
        converse(server, talk)


def test_a_message_over_the_announced_size_is_not_begun() -> None:
    async def talk(conversation: Conversation) -> None:
        answer = await conversation.send(message=MESSAGE * 20)
        assert answer.reply is not None
        assert answer.reply.code == 552
        assert conversation.connection.usable

    with ScriptedServer(withheld=frozenset({"SIZE"}), extra_extensions=("SIZE 1000",)) as server:
        converse(server, talk)
    assert "MAIL" not in server.verbs()


@pytest.mark.parametrize(("offered", "named"), [(("DSN",), True), ((), False)])
def test_reports_are_asked_to_name_the_message(offered: tuple[str, ...], named: bool) -> None:  # noqa: FBT001 (drawn)
    """RFC 3461: only where it is offered."""

    async def talk(conversation: Conversation) -> None:
        assert classify(await conversation.send()).outcome is Outcome.ACCEPTED

    with ScriptedServer(extra_extensions=offered) as server:
        converse(server, talk)
    (argument,) = [said for _, verb, said in server.record.commands if verb == "MAIL"]
    assert ("RET=HDRS ENVID=" in argument) is named


def test_what_the_relay_does_at_quit_does_not_matter() -> None:
    async def talk(conversation: Conversation) -> Answer:
        return await conversation.send()

    for misdeed in (Misdeed("QUIT", reply="500 what"), Misdeed("QUIT", drop="before")):
        with ScriptedServer(misdeed) as server:
            assert classify(converse(server, talk)).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    "recipient",
    ["", "ann@example.org>\r\nDATA", "ann @example.org", "ann@пошта.бел", "<a@b>", "a" * 255],
)
def test_an_address_that_no_command_carries_is_refused(recipient: str) -> None:
    async def talk(conversation: Conversation) -> None:
        with pytest.raises(EnvelopeUnsafe):
            await conversation.send(recipient)
        assert conversation.connection.usable

    with ScriptedServer() as server:
        converse(server, talk)
    assert "MAIL" not in server.verbs()


class TestOpening:
    def test_nobody_listens(self) -> None:
        answer = asyncio.run(refused(insecure(closed_port())))
        assert answer == Answer(Stage.CONNECT, None, "The relay cannot be reached.")

    @pytest.mark.parametrize("line", ["421 4.3.2 Too busy", "554 5.3.2 No mail here"])
    @pytest.mark.parametrize("command", ["CONNECT", "EHLO"])
    def test_the_relay_refuses(self, command: str, line: str) -> None:
        with ScriptedServer(Misdeed(command, reply=line)) as server:
            answer = asyncio.run(refused(insecure(server.port)))
        assert answer.stage is Stage.CONNECT
        assert answer.reply == Reply.parse(int(line[:3]), line[4:])

    @pytest.mark.parametrize("command", ["CONNECT", "EHLO"])
    def test_the_relay_leaves(self, command: str) -> None:
        with ScriptedServer(Misdeed(command, drop="before")) as server:
            answer = asyncio.run(refused(insecure(server.port)))
        assert (answer.stage, answer.reply) == (Stage.CONNECT, None)

    def test_the_relay_says_nothing(self) -> None:
        with silent_server() as port:
            answer = asyncio.run(refused(insecure(port), timeouts=HASTY))
        assert answer == Answer(Stage.CONNECT, None, "The relay did not answer in time.")

    def test_a_cancelled_opening_leaves_nothing_open(self) -> None:
        async def run() -> None:
            opening = asyncio.create_task(refused(insecure(server.port)))
            await asyncio.to_thread(server.wait_for, "EHLO")
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening

        with ScriptedServer(Misdeed("EHLO", delay=30)) as server:
            asyncio.run(run())  # an open transport would be a ResourceWarning
        assert server.verbs() == ["CONNECT", "EHLO"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return self_made(tmp_path_factory.mktemp("certificates"))


class TestProtection:
    def test_starttls_then_login_then_a_message(self, certificates: Certificates) -> None:
        async def run(port: int) -> Answer:
            relay = Relay.parse(f"smtp://ann:p%40ss@127.0.0.1:{port}")
            connection = await opened(relay, certificates.client)
            answer = await connection.send(SENDER, ANN, MESSAGE, noted=lambda: None)
            await connection.close()
            return answer

        with ScriptedServer(tls=certificates.server, login=("ann", "p@ss")) as server:
            assert classify(asyncio.run(run(server.port))).outcome is Outcome.ACCEPTED
        assert server.verbs()[:5] == ["CONNECT", "EHLO", "STARTTLS", "EHLO", "AUTH"]
        assert server.record.logins == [("ann", "p@ss")]
        assert [message.raw for message in server.messages] == [MESSAGE]

    def test_tls_from_the_first_byte(self, certificates: Certificates) -> None:
        async def run(port: int) -> Answer:
            relay = Relay.parse(f"smtps://ann:pass@localhost:{port}")
            connection = await opened(relay, certificates.client)
            answer = await connection.send(SENDER, ANN, MESSAGE, noted=lambda: None)
            await connection.close()
            return answer

        with ScriptedServer(
            tls=certificates.server, implicit=True, login=("ann", "pass")
        ) as server:
            assert classify(asyncio.run(run(server.port))).outcome is Outcome.ACCEPTED
        assert "STARTTLS" not in server.verbs()

    @pytest.mark.parametrize(
        ("misdeed", "reply"),
        [
            (Misdeed("STARTTLS", reply="454 4.7.0 Not now"), Reply(454, "4.7.0", "Not now")),
            (Misdeed("STARTTLS", drop="before"), None),
            (Misdeed("STARTTLS", reply="220 Go on in clear"), None),
        ],
    )
    def test_starttls_fails_closed(
        self, certificates: Certificates, misdeed: Misdeed, reply: Reply | None
    ) -> None:
        with ScriptedServer(misdeed, tls=certificates.server, login=("ann", "pass")) as server:
            relay = Relay.parse(f"smtp://ann:pass@127.0.0.1:{server.port}")
            answer = asyncio.run(refused(relay, certificates.client, timeouts=HASTY))
        assert (answer.stage, answer.reply) == (Stage.TLS, reply)
        assert server.record.logins == []

    def test_without_starttls_nothing_is_said(self) -> None:
        with ScriptedServer(login=("ann", "pass")) as server:
            answer = asyncio.run(refused(Relay.parse(f"smtp://ann:pass@127.0.0.1:{server.port}")))
        assert answer.stage is Stage.TLS
        assert answer.trouble == "The relay does not offer STARTTLS, which is required."
        assert server.verbs() == ["CONNECT", "EHLO"]

    @pytest.mark.parametrize("scheme", ["smtp", "smtps"])
    def test_an_untrusted_certificate_is_refused(
        self, certificates: Certificates, scheme: str
    ) -> None:
        with ScriptedServer(tls=certificates.server, implicit=scheme == "smtps") as server:
            answer = asyncio.run(refused(Relay.parse(f"{scheme}://127.0.0.1:{server.port}")))
        assert (answer.stage, answer.reply) == (Stage.TLS, None)
        assert answer.trouble.startswith("The relay's certificate is not trusted")

    @pytest.mark.parametrize("scheme", ["smtp", "smtps"])
    def test_a_certificate_of_another_host_is_refused(self, tmp_path: Path, scheme: str) -> None:
        other = self_made(tmp_path, "other.example.org")
        with ScriptedServer(tls=other.server, implicit=scheme == "smtps") as server:
            relay = Relay.parse(f"{scheme}://127.0.0.1:{server.port}")
            answer = asyncio.run(refused(relay, other.client))
        assert (answer.stage, answer.reply) == (Stage.TLS, None)
        assert answer.trouble.startswith("The relay's certificate is not trusted")

    def test_a_wrong_password_is_the_relays_matter_and_never_repeated(
        self, certificates: Certificates
    ) -> None:
        with ScriptedServer(tls=certificates.server, login=("ann", "pass")) as server:
            relay = Relay.parse(f"smtp://ann:wrong@127.0.0.1:{server.port}")
            answer = asyncio.run(refused(relay, certificates.client))
        assert answer.stage is Stage.LOGIN
        assert answer.reply is not None
        assert answer.reply.code == 535
        assert server.verbs().count("AUTH") == 1
        assert "ann" not in repr(answer)
        assert "wrong" not in repr(answer)

    def test_a_relay_that_offers_no_login(self, certificates: Certificates) -> None:
        with ScriptedServer(tls=certificates.server) as server:
            relay = Relay.parse(f"smtp://ann:pass@127.0.0.1:{server.port}")
            answer = asyncio.run(refused(relay, certificates.client))
        trouble = "The relay offers no way to log in that we know."
        assert answer == Answer(Stage.LOGIN, None, trouble)
