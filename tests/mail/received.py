"""Messages as a relay got them: carried there over SMTP, and read by parsers that are not ours."""

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from app.deliveries.compose.message_headers import SenderIdentity
from app.mail.dkim.signature import DkimKey, signatures
from app.mail.message.message_template import Filled
from app.mail.message.signing import Signed
from app.mail.message.templates import Rendered
from app.mail.relay import Relay, Security
from app.mail.smtp.connection import Connection
from app.mail.smtp.envelope import Envelope
from app.mail.smtp.pipeline import PipelineCallbacks
from app.newsletter import Newsletter
from app.settings import Mailbox
from tests.support.smtpd import ScriptedServer

AT = 1_737_442_800
DATE = "Tue, 21 Jan 2025 09:00:00 +0200"
NEWSLETTER = Newsletter.load()
KEYS = {
    "a1": DkimKey("example.org", "a1", generate_private_key(65537, 2048)),
    "e1": DkimKey("example.org", "e1", Ed25519PrivateKey.generate()),
}


def a_post(public_url: str) -> SenderIdentity:
    sender = Mailbox("", "news@example.org")
    return SenderIdentity(sender, "lists.example.org", "back.example.org", public_url, NEWSLETTER)


def dkim_record(name: bytes, timeout: int = 0) -> bytes:
    """What DNS says of our keys."""
    selector, _, rest = name.decode().partition(".")
    assert rest == "_domainkey.example.org."
    return KEYS[selector].record.encode()


@dataclass
class Message:
    """What was meant, and the bytes and the envelope that the relay got."""

    rendered: Rendered
    segment: str
    language: str
    link: str
    envelope: Envelope
    raw: bytes = b""
    sender: str = ""
    recipients: tuple[str, ...] = ()

    @cached_property
    def head(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[0] + b"\r\n"

    @cached_property
    def message(self) -> EmailMessage:
        read = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(read, EmailMessage)
        return read

    def field(self, name: str) -> bytes:
        """The one header of this name, as its bytes are."""
        found = re.findall(
            rb"^%b:(?:[^\n]*\n)(?:[ \t][^\n]*\n)*" % name.encode(), self.head, re.MULTILINE
        )
        assert len(found) == 1, name
        whole: bytes = found[0]
        return whole

    def parts(self) -> list[EmailMessage]:
        return [each for each in self.message.iter_parts() if isinstance(each, EmailMessage)]


def signed(filled: Filled) -> Signed:
    """Sign a message with all keys."""
    head, body = filled.head_and_body()
    return Signed(signatures(head, body, list(KEYS.values()), at=AT), filled)


def deliver(messages: Sequence[Message]) -> None:
    """Carry them to a server over one connection, and note what it got."""
    waiting = deque(each.envelope for each in messages)
    answers: list[Any] = []

    async def may_go(_: Envelope) -> bool:
        return True

    async def run(port: int) -> None:
        relay = Relay("127.0.0.1", port, Security.NONE)
        connection = await Connection.open(relay, "sender.example.org")
        assert isinstance(connection, Connection)
        hands = PipelineCallbacks(
            take=lambda: waiting.popleft() if waiting else None,
            may_go=may_go,
            noted=lambda _: None,
            done=lambda _, answer: answers.append(answer),
            give_back=waiting.append,
        )
        await connection.carry(waiting.popleft(), hands)
        await connection.close()

    with ScriptedServer() as server:
        asyncio.run(run(server.port))
        assert len(server.messages) == len(answers) == len(messages)
        for message, got in zip(messages, server.messages, strict=True):
            message.raw, message.sender, message.recipients = got.raw, got.sender, got.recipients
