"""An SMTP server that misbehaves on script, on a real port, in a thread of its own.

Tests of both kinds, and other processes, talk to it; it records connections, commands and messages.
"""

import asyncio
import base64
import datetime as dt
import secrets
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from threading import Condition, Event, Thread
from typing import Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.demo.smtpd import Inbox, ReceivedMessage, Receiver, Session

QUIET = range(20_000, 32_000)


@dataclass(slots=True)
class Misdeed:
    """What the server does wrong at a command.

    `command`: CONNECT (the banner), EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, DOT (the end of a
    message), RSET, NOOP, QUIT. `containing`: only if the command's argument holds this (at DOT:
    the recipient). `reply` is said instead, and a reply that is no 2xx at DOT takes no message.
    `drop`: cut the connection "before" the command is obeyed or "after" it was, unanswered.
    `half`: cut after half of the reply. `delay`: seconds between obeying and replying.
    `times`: how often, None for ever; `skip`: how many of these commands go well before.
    """

    command: str
    containing: str = ""
    reply: str | None = None
    drop: Literal["before", "after"] | None = None
    half: bool = False
    delay: float = 0
    times: int | None = None
    skip: int = 0

    def strikes(self, command: str, argument: str) -> bool:
        """Whether it happens now; counts."""
        if command != self.command or self.containing.lower() not in argument.lower():
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return self.times is None or self.times >= 0


@dataclass(slots=True)
class Record:
    """What happened, across all connections."""

    connections: int = 0
    commands: list[tuple[int, str, str]] = field(default_factory=list)  # connection, verb, argument
    logins: list[tuple[str, str]] = field(default_factory=list)
    tls_failures: int = 0


class _Cut(ConnectionError):
    """The script cuts the connection here."""


class ScriptedSession(Session):
    """A conversation that follows the script, and otherwise behaves."""

    def __init__(
        self,
        server: "ScriptedServer",
        inbox: Inbox,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        super().__init__(inbox, reader, writer)
        self.server = server
        self.number = server.count_connection()

    async def run(self) -> None:
        try:
            await super().run()
        except ssl.SSLError:
            self.server.record.tls_failures += 1

    @property
    def over_tls(self) -> bool:
        return self.writer.get_extra_info("sslcontext") is not None

    def extensions(self) -> list[str]:
        usual = [e for e in super().extensions() if e.split()[0] not in self.server.withheld]
        offered = [*usual, *self.server.extra_extensions]
        if self.server.tls is not None and not self.over_tls:
            offered.append("STARTTLS")
        if self.server.login is not None and (self.over_tls or self.server.tls is None):
            offered.append("AUTH PLAIN LOGIN")
        return offered

    async def answer(self, verb: str, argument: str) -> str:
        self.server.note(self.number, verb, argument)
        misdeed = self.server.misdeed(verb, argument)
        if misdeed is None:
            return await self._obey(verb, argument)
        if misdeed.drop == "before":
            raise self._cut()
        # A refused command is not obeyed; one that is answered late or not at all, is.
        reply = misdeed.reply or await self._obey(verb, argument)
        return await self._misbehave(misdeed, reply)

    async def take(self, raw: bytes) -> str:
        recipients = " ".join(self.envelope.recipients)
        self.server.note(self.number, "DOT", recipients)
        misdeed = self.server.misdeed("DOT", recipients)
        if misdeed is None:
            return await super().take(raw)
        if misdeed.drop == "before":
            raise self._cut()
        refused = misdeed.reply is not None and not misdeed.reply.startswith("2")
        reply = "" if refused else await super().take(raw)
        return await self._misbehave(misdeed, misdeed.reply or reply)

    async def _misbehave(self, misdeed: Misdeed, reply: str) -> str:
        if misdeed.delay:
            await asyncio.sleep(misdeed.delay)
        if misdeed.half:
            self.writer.write(reply[: len(reply) // 2].encode())
            await self.writer.drain()
        if misdeed.half or misdeed.drop == "after":
            raise self._cut()
        return reply

    async def say(self, reply: str) -> None:
        await super().say(reply)
        if reply.startswith("421"):
            self.writer.close()
        if reply == _GO_TLS and self.server.tls is not None:
            await self.writer.start_tls(self.server.tls)

    def _cut(self) -> _Cut:
        self.writer.close()
        return _Cut()

    async def _obey(self, verb: str, argument: str) -> str:
        if verb == "STARTTLS" and self.server.tls is not None and not self.over_tls:
            return _GO_TLS
        if verb == "AUTH" and self.server.login is not None:
            return self._log_in(argument)
        return await super().answer(verb, argument)

    def _log_in(self, argument: str) -> str:
        """AUTH PLAIN with its initial response (RFC 4616)."""
        mechanism, _, response = argument.partition(" ")
        if mechanism.upper() != "PLAIN":
            return "504 5.5.4 Unrecognized authentication type"
        _, username, password = base64.b64decode(response).decode().split("\0")
        self.server.record.logins.append((username, password))
        if (username, password) == self.server.login:
            return "235 2.7.0 Authentication successful"
        return f"535 5.7.8 Authentication failed for {username}"


_GO_TLS = "220 2.0.0 Ready to start TLS"


class ScriptedServer:
    """`with ScriptedServer() as server:` listens on `server.port`; `on(...)` adds to the script.

    `tls` offers STARTTLS, or with `implicit` speaks TLS from the first byte. `login` offers AUTH.
    """

    def __init__(
        self,
        *script: Misdeed,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        login: tuple[str, str] | None = None,
        withheld: frozenset[str] = frozenset(),
        extra_extensions: tuple[str, ...] = (),
    ) -> None:
        self.port = port
        self.tls = tls
        self.login = login
        self.withheld = withheld
        self.extra_extensions = extra_extensions
        self.inbox = Inbox()
        self.record = Record()
        self._implicit = implicit
        self._script = list(script)
        self._lock = Condition()
        self._thread: Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: asyncio.Event | None = None

    def on(self, misdeed: Misdeed) -> None:
        """Add to the script; the first misdeed that strikes is done."""
        with self._lock:
            self._script.append(misdeed)

    def behave(self) -> None:
        """Forget the script."""
        with self._lock:
            self._script.clear()

    @property
    def messages(self) -> tuple[ReceivedMessage, ...]:
        """The messages taken, in order."""
        return self.inbox.messages

    def verbs(self) -> list[str]:
        """The commands of all connections, in order."""
        with self._lock:
            return [verb for _, verb, _ in self.record.commands]

    def misdeed(self, command: str, argument: str) -> Misdeed | None:
        with self._lock:
            return next((m for m in self._script if m.strikes(command, argument)), None)

    def note(self, connection: int, verb: str, argument: str) -> None:
        with self._lock:
            self.record.commands.append((connection, verb, argument))
            self._lock.notify_all()

    def wait_for(self, verb: str, times: int = 1) -> None:
        """Wait until this command has come so often, on all connections together."""
        with self._lock:
            come = self._lock.wait_for(lambda: self._count(verb) >= times, timeout=30)
        if not come:
            raise TimeoutError(verb)

    def _count(self, verb: str) -> int:
        return sum(said == verb for _, said, _ in self.record.commands)

    def count_connection(self) -> int:
        with self._lock:
            self.record.connections += 1
            return self.record.connections

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; on the same port as before, if it was stopped."""
        ready = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the server did not start")

    def stop(self) -> None:
        """Cut every connection and close the port; what was recorded stays."""
        if self._thread is None or self._loop is None or self._leave is None:
            return
        self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join(10)
        self._thread = None

    async def _serve(self, ready: Event) -> None:
        self._loop, self._leave = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(lambda _loop, _context: None)  # handshakes fail on purpose
        receiver = Receiver(self.inbox, lambda i, r, w: ScriptedSession(self, i, r, w))
        implicit = self.tls if self._implicit else None
        # While we are stopped, no client anywhere may be given our port: we want it again.
        self.port = await receiver.start(port=self.port or closed_port(), tls=implicit)
        ready.set()
        await self._leave.wait()
        await receiver.stop()


def closed_port() -> int:
    """Give a port on loopback where nobody listens.

    It is none of those that the system gives to clients: one of them that asks whether somebody
    listens there could be given that very port, and be connected to itself.
    """
    while True:
        port = secrets.choice(QUIET)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def silent_server(greeting: bytes = b"") -> Iterator[int]:
    """Listen without an SMTP server behind: sends `greeting`, then nothing. Gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepted: list[socket.socket] = []

        def accept() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            accepted.append(connection)
            connection.sendall(greeting)

        thread = Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            for connection in accepted:
                connection.close()


@dataclass(frozen=True, slots=True)
class Certificates:
    """A self-made certificate: the context of the server, and of a client that trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def self_made(folder: Path, hostname: str = "localhost") -> Certificates:
    """Make a certificate for `hostname`; for `localhost` it names 127.0.0.1, too."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname)])
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 - TLS compares with the real clock
    names = [x509.DNSName(hostname)]
    addresses = [x509.IPAddress(ip_address("127.0.0.1"))] if hostname == "localhost" else []
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([*names, *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    both = folder / f"{hostname}.pem"
    both.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(both)
    return Certificates(server, ssl.create_default_context(cadata=pem.decode()))
