"""A small SMTP receiver with an inbox to look into: what a trial instance sends its messages to.

It keeps every message byte for byte as it was before dot-stuffing, and delivers nothing anywhere.
"""

import asyncio
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

LARGEST = 10_000_000  # octets of a message it takes
_LONGEST_COMMAND = 4096

_PATH = re.compile(r"(?:FROM|TO):\s*<(?P<address>[^<>\s]*)>(?P<options>(?: \S+)*)", re.IGNORECASE)
_SIZE = re.compile(r"\bSIZE=(\d{1,20})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message as it came: its envelope, its bytes, and its number in the order of arrival."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    number: int


class Inbox:
    """The messages that came, in order. May be read from any thread."""

    def __init__(self) -> None:
        """Begin empty."""
        self._messages: list[ReceivedMessage] = []
        self._lock = Lock()

    def put(self, sender: str, recipients: tuple[str, ...], raw: bytes) -> None:
        """Take a message in."""
        with self._lock:
            number = len(self._messages) + 1
            self._messages.append(ReceivedMessage(sender, recipients, raw, number))

    @property
    def messages(self) -> tuple[ReceivedMessage, ...]:
        """Every message so far."""
        with self._lock:
            return tuple(self._messages)

    def of(self, recipient: str) -> tuple[ReceivedMessage, ...]:
        """The messages that came for one address."""
        return tuple(message for message in self.messages if recipient in message.recipients)


@dataclass(slots=True)
class Envelope:
    """The transaction under way (RFC 5321 §3.3); `sender` is None before MAIL."""

    sender: str | None = None
    recipients: list[str] = field(default_factory=list)


class Session:
    """One conversation. `answer` says what each command gets; a subclass may answer otherwise."""

    def __init__(
        self, inbox: Inbox, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Talk over these streams; messages go to `inbox`."""
        self.inbox = inbox
        self.reader = reader
        self.writer = writer
        self.envelope = Envelope()

    async def run(self) -> None:
        """Talk until either side leaves."""
        try:
            await self.say(await self.answer("CONNECT", ""))
            while not self.writer.is_closing():
                await self.hear()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the other side is gone, or sends what no client of ours sends
        finally:
            self.writer.close()

    async def hear(self) -> None:
        """Read a command and answer it. Commands may have come many at once (RFC 2920)."""
        line = (await self.reader.readuntil(b"\r\n"))[:-2].decode("ascii", "replace")
        if len(line) > _LONGEST_COMMAND:
            await self.say("500 5.5.6 Line too long")
            return
        verb, _, argument = line.partition(" ")
        reply = await self.answer(verb.upper(), argument.strip())
        await self.say(reply)
        if verb.upper() == "DATA" and reply.startswith("354"):
            await self.take_content()
        elif verb.upper() == "QUIT" or reply.startswith("421"):
            self.writer.close()

    async def take_content(self) -> None:
        """Read up to the final dot, unstuff (RFC 5321 §4.5.2), and answer for the message."""
        content = bytearray()
        while not (content.endswith(b"\r\n.\r\n") or content == b".\r\n"):
            content += await self.reader.readuntil(b".\r\n")
        raw = (b"\r\n" + bytes(content[:-3])).replace(b"\r\n.", b"\r\n")[2:]
        await self.say(await self.take(raw))
        self.envelope = Envelope()

    async def take(self, raw: bytes) -> str:
        """Put a message into the inbox, and say so."""
        if len(raw) > LARGEST:
            return "552 5.3.4 Message too big"
        self.inbox.put(self.envelope.sender or "", tuple(self.envelope.recipients), raw)
        return f"250 2.0.0 Ok: queued as {len(self.inbox.messages):08X}"

    async def say(self, reply: str) -> None:
        """Send a reply; its lines are parted by LF."""
        *earlier, last = reply.split("\n")
        lines = [f"{line[:3]}-{line[4:]}" for line in earlier] + [last]
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self.writer.drain()

    def extensions(self) -> list[str]:
        """What EHLO offers."""
        return ["PIPELINING", f"SIZE {LARGEST}", "8BITMIME", "ENHANCEDSTATUSCODES"]

    async def answer(self, verb: str, argument: str) -> str:
        """Say what a command gets, and do it."""
        match verb:
            case "CONNECT":
                return "220 localhost ESMTP"
            case "EHLO":
                self.envelope = Envelope()
                return "\n".join(f"250 {line}" for line in ["localhost", *self.extensions()])
            case "HELO" | "RSET":
                self.envelope = Envelope()
                return "250 2.0.0 Ok"
            case "MAIL" | "RCPT" | "DATA":
                return self._transaction(verb, argument)
            case "NOOP":
                return "250 2.0.0 Ok"
            case "QUIT":
                return "221 2.0.0 Bye"
            case _:
                return "502 5.5.2 Command not recognized"

    def _transaction(self, verb: str, argument: str) -> str:
        if verb == "DATA":
            return "354 Go ahead" if self.envelope.recipients else "554 5.5.1 No valid recipients"
        path = _PATH.fullmatch(argument)
        if path is None:
            return "501 5.5.4 Syntax error"
        return self._mail(path) if verb == "MAIL" else self._rcpt(path["address"])

    def _mail(self, path: re.Match[str]) -> str:
        if self.envelope.sender is not None:
            return "503 5.5.1 Sender already given"
        size = _SIZE.search(path["options"])
        if size and int(size[1]) > LARGEST:
            return "552 5.3.4 Message too big"
        self.envelope.sender = path["address"]
        return "250 2.1.0 Ok"

    def _rcpt(self, address: str) -> str:
        if self.envelope.sender is None:
            return "503 5.5.1 Sender first"
        if not address:
            return "501 5.1.3 Recipient missing"
        self.envelope.recipients.append(address)
        return "250 2.1.5 Ok"


_MakeSession = Callable[[Inbox, asyncio.StreamReader, asyncio.StreamWriter], Session]


class Receiver:
    """The listening side: an inbox behind a port. Lives in the event loop that starts it."""

    def __init__(self, inbox: Inbox | None = None, session: _MakeSession = Session) -> None:
        """Receive into `inbox`, or one of its own."""
        self.inbox = inbox or Inbox()
        self._session = session
        self._conversations: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(
        self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> int:
        """Listen, and give the port (one that is free, if `port` is 0)."""
        limit = 2 * LARGEST
        self._server = await asyncio.start_server(self._talk, host, port, limit=limit, ssl=tls)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Stop listening and cut every conversation."""
        if self._server is None:
            return
        self._server.close()
        for conversation in self._conversations:
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)
        await self._server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.current_task()
        if conversation is not None:
            self._conversations.add(conversation)
            conversation.add_done_callback(self._conversations.discard)
        await self._session(self.inbox, reader, writer).run()
