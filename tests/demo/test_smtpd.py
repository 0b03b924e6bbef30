"""The receiver takes messages from clients that are not ours, byte for byte, and breaks on none."""

import smtplib
import socket

import pytest

from tests.support.smtpd import ScriptedServer

MESSAGE = b"Subject: a\r\n\r\n.dot\r\n..two\r\n.\r\nend\r\n"
ENVELOPE = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"


def spoken(port: int, *sent: bytes) -> list[str]:
    """Say all this at once (RFC 2920), then QUIT; give the codes of the replies."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"".join(sent) + b"QUIT\r\n")
        heard = b"".join(iter(lambda: connection.recv(65536), b""))
    lines = heard.decode().splitlines()
    return [line[:3] for line in lines if line[3:4] != "-"]


def test_a_message_by_another_client() -> None:
    with ScriptedServer() as server, smtplib.SMTP("127.0.0.1", server.port) as client:
        client.sendmail("a@example.org", ["b@example.org", "c@example.org"], MESSAGE)
        client.sendmail("", ["b@example.org"], MESSAGE)
    first, second = server.messages
    assert (first.sender, first.recipients) == ("a@example.org", ("b@example.org", "c@example.org"))
    assert (second.sender, second.number) == ("", 2)
    assert first.raw == second.raw == MESSAGE
    assert server.inbox.of("c@example.org") == (first,)


def test_pipelined_messages_come_in_order() -> None:
    with ScriptedServer() as server:
        codes = spoken(server.port, *[ENVELOPE, b"1\r\n.\r\n", ENVELOPE, b"2\r\n.\r\n"])
    assert codes == ["220", "250", "250", "354", "250", "250", "250", "354", "250", "221"]
    assert [message.raw for message in server.messages] == [b"1\r\n", b"2\r\n"]


@pytest.mark.parametrize(
    ("content", "raw"),
    [
        (b".\r\n", b""),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"a.\r\n.\r\n", b"a.\r\n"),
        (b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n"),  # a bare LF ends no line (SMTP smuggling)
        (b"\r\n.\r\n", b"\r\n"),
    ],
)
def test_only_crlf_dot_crlf_ends_a_message(content: bytes, raw: bytes) -> None:
    with ScriptedServer() as server:
        spoken(server.port, ENVELOPE, content)
    assert [message.raw for message in server.messages] == [raw]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"RCPT TO:<a@example.org>\r\n", "503"),
        (b"DATA\r\n", "554"),
        (b"MAIL FROM:a@example.org\r\n", "501"),
        (b"MAIL FROM:<a@example.org> SIZE=99999999999\r\n", "552"),
        (b"MAIL FROM:<a@example.org> BODY=8BITMIME SIZE=10\r\n", "250"),
        (b"MAIL FROM:<>\r\n", "250"),
        (b"NOOP\r\n", "250"),
        (b"RSET\r\n", "250"),
        (b"HELO a\r\n", "250"),
        (b"EXPN a\r\n", "502"),
        (b"\xff\xfe\r\n", "502"),
        (b"a" * 5000 + b"\r\n", "500"),
    ],
)
def test_a_command_gets(said: bytes, code: str) -> None:
    with ScriptedServer() as server:
        assert spoken(server.port, said) == ["220", code, "221"]
    assert server.messages == ()


def test_reset_forgets_the_transaction() -> None:
    with ScriptedServer() as server:
        codes = spoken(server.port, ENVELOPE.replace(b"DATA", b"RSET"), b"DATA\r\n")
    assert codes == ["220", "250", "250", "250", "554", "221"]
