"""A connection to a relay: opened, used for one letter after the other, closed.

The only importer of aiosmtplib, which connects, speaks TLS and logs in; the transaction is driven
here, command by command, so that it is always known how far it came. What goes wrong on the wire
is an Answer, never an exception, and the bytes of a letter go out as they are.
"""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from app.errors import Refusal
from app.mail.relay import Relay, Security
from app.mail.replies import Answer, Reply, Stage

_BEGIN = 354  # "Start mail input"
_CLOSING = 421
_PATH = re.compile(r"[!-;=?-~]{1,254}")  # printable ASCII without blanks and angle brackets
_NOT_OFFERED = {
    Stage.TLS: "The relay does not offer STARTTLS, which is required.",
    Stage.LOGIN: "The relay offers no way to log in that we know.",
}
_TROUBLES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "The relay did not answer in time."),
    (aiosmtplib.SMTPResponseException, "The relay answered something that is no SMTP reply."),
    (aiosmtplib.SMTPConnectError, "The relay cannot be reached."),
    (OSError, "The relay closed the connection."),
)


class EnvelopeUnsafe(Refusal):
    """An envelope address holds what no SMTP command can carry."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for each reply, in seconds (RFC 5321 §4.5.3.2).

    The wait after the final dot is long on purpose: giving up early makes letters uncertain.
    """

    greeting: float = 300
    command: float = 300
    data: float = 120
    dot: float = 600


PATIENT = Timeouts()


class Connection:
    """An open connection for one letter at a time. Made by `open`."""

    def __init__(self, client: aiosmtplib.SMTP, relay: Relay, timeouts: Timeouts) -> None:
        """Take over a client that is connected and logged in."""
        self._client = client
        self._timeouts = timeouts
        self.relay = relay

    @classmethod
    async def open(
        cls,
        relay: Relay,
        hostname: str,
        tls_context: ssl.SSLContext | None = None,
        timeouts: Timeouts = PATIENT,
    ) -> "Connection | Answer":
        """Connect, protect the connection and log in, as the relay is configured.

        `hostname` is our own name in EHLO; `tls_context` replaces the system's trust store. Gives
        an Answer of where it failed if it did; then no connection is left open.
        """
        client = _client(relay, hostname, tls_context, timeouts)
        try:
            failure = await _open(client, relay, timeouts)
        except BaseException:
            _cut(client)  # cancelled on the way
            raise
        if failure is None:
            return cls(client, relay, timeouts)
        _cut(client)
        return failure

    @property
    def usable(self) -> bool:
        """Whether another letter may be sent over this connection."""
        return self._client.is_connected

    def offers(self, extension: str) -> bool:
        """Whether the relay offered this extension (after TLS, if there is TLS)."""
        return self._client.supports_extension(extension)

    async def send(
        self, sender: str, recipient: str, letter: bytes, *, noted: Callable[[], None]
    ) -> Answer:
        """Send one letter, and say how far it came.

        `noted` is called once, just before the first byte that could make the relay take the
        letter, and not at all for a letter refused earlier; if it raises, the connection is cut
        and the relay takes nothing. Raises EnvelopeUnsafe before anything is said.
        """
        paths = _path(sender, may_be_empty=True), _path(recipient)
        try:
            return await self._transact(*paths, letter, recipient, noted)
        except BaseException:
            self.abort()  # cancelled or failed in the middle: the conversation has lost its place
            raise

    async def _transact(
        self, sender: bytes, to: bytes, letter: bytes, recipient: str, noted: Callable[[], None]
    ) -> Answer:
        if self._is_too_large(letter):
            return Answer(Stage.MAIL, Reply(552, "5.3.4", "The letter is over the relay's limit."))
        size = [b"SIZE=%d" % len(letter)] if self.offers("size") else []
        steps = (
            (Stage.MAIL, [b"MAIL", b"FROM:" + sender, *size], self._timeouts.command),
            (Stage.RCPT, [b"RCPT", b"TO:" + to], self._timeouts.command),
            (Stage.DATA, [b"DATA"], self._timeouts.data),
        )
        for stage, words, timeout in steps:
            answer = await self._hear(stage, self._say(words, timeout), recipient)
            if not _goes_on(answer):
                return await self._refused(answer)
        return await self._content(letter, recipient, noted)

    async def _content(self, letter: bytes, recipient: str, noted: Callable[[], None]) -> Answer:
        protocol = self._client.protocol
        if protocol is None:
            return Answer(Stage.DATA, None, "The relay closed the connection.")
        noted()
        answer = await self._hear(Stage.DOT, self._end(protocol, letter), recipient)
        return answer if answer.reply and answer.reply.positive else await self._refused(answer)

    async def _end(self, protocol: SMTPProtocol, letter: bytes) -> aiosmtplib.SMTPResponse:
        protocol.write(on_the_wire(letter))
        return await protocol.read_response(timeout=self._timeouts.dot)

    def _say(self, words: list[bytes], patience: float) -> Awaitable[aiosmtplib.SMTPResponse]:
        return self._client.execute_command(*words, timeout=patience)

    async def _hear(
        self, stage: Stage, exchange: Awaitable[aiosmtplib.SMTPResponse], recipient: str
    ) -> Answer:
        """Read a reply. None, or one that is no SMTP, ends the connection."""
        try:
            code, text = await exchange
        except (aiosmtplib.SMTPException, OSError) as error:
            self.abort()
            return Answer(stage, None, _trouble(error, stage))
        reply = Reply.parse(code, text, recipient)
        if code == _CLOSING:
            self.abort()
        return Answer(stage, reply)

    async def _refused(self, answer: Answer) -> Answer:
        """Clear the relay's mind of a transaction that did not come to its end."""
        if answer.reply is not None and self.usable:
            said = self._say([b"RSET"], self._timeouts.command)
            reset = (await self._hear(Stage.MAIL, said, "")).reply
            if reset is None or not reset.positive:
                self.abort()
        return answer

    def _is_too_large(self, letter: bytes) -> bool:
        """Compare with the limit the relay announced; 0 means there is none (RFC 1870 §4)."""
        limit = self._client.esmtp_extensions.get("size", "")
        return limit.isdecimal() and 0 < int(limit) < len(letter)

    def abort(self) -> None:
        """Cut the connection without a word: the relay forgets what it has not taken."""
        _cut(self._client)

    async def close(self) -> None:
        """Say goodbye. What the relay answers, if anything, changes nothing."""
        if self.usable:
            await self._hear(Stage.MAIL, self._say([b"QUIT"], self._timeouts.command), "")
        self.abort()


def on_the_wire(letter: bytes) -> bytes:
    """Stuff dots and add the final one (RFC 5321 §4.5.2). Lines end with CRLF already."""
    stuffed = letter.replace(b"\r\n.", b"\r\n..")
    opening = b"." if stuffed.startswith(b".") else b""
    closing = b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n"
    return b"".join((opening, stuffed, closing))


def _cut(client: aiosmtplib.SMTP) -> None:
    """Close at once, not after the goodbye of TLS: a relay that hangs would keep it open."""
    if isinstance(client.transport, asyncio.WriteTransport):
        client.transport.abort()
    client.close()


def _path(address: str, *, may_be_empty: bool = False) -> bytes:
    """Write an address as a path (RFC 5321 §4.1.2)."""
    if not (_PATH.fullmatch(address) or (may_be_empty and not address)):
        raise EnvelopeUnsafe
    return f"<{address}>".encode("ascii")


def _goes_on(answer: Answer) -> bool:
    if answer.reply is None:
        return False
    return answer.reply.code == _BEGIN if answer.stage is Stage.DATA else answer.reply.positive


def _client(
    relay: Relay, hostname: str, context: ssl.SSLContext | None, timeouts: Timeouts
) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.port,
        local_hostname=hostname,
        timeout=timeouts.command,
        use_tls=relay.security is Security.TLS,
        start_tls=False,  # its own attempt, so that its failure is told from the connection's
        tls_context=context,
    )


async def _open(client: aiosmtplib.SMTP, relay: Relay, timeouts: Timeouts) -> Answer | None:
    """Open the connection; None if every step went well."""
    for stage, step in _opening(client, relay, timeouts):
        failure = await _attempt(stage, step, relay.username or "")
        if failure is not None:
            return failure
    return None


_Step = Callable[[], Awaitable[object]]


def _opening(
    client: aiosmtplib.SMTP, relay: Relay, timeouts: Timeouts
) -> Iterator[tuple[Stage, _Step]]:
    """The steps that open a connection; nothing secret is said before TLS is up."""
    yield Stage.CONNECT, lambda: client.connect(timeout=timeouts.greeting)
    yield Stage.CONNECT, client.ehlo
    if relay.security is Security.STARTTLS:
        yield Stage.TLS, client.starttls
        yield Stage.TLS, client.ehlo  # what was offered before TLS is forgotten, RFC 3207 §4.2
    if relay.username is not None:
        yield Stage.LOGIN, lambda: _log_in(client, relay.username or "", relay.password or "")


async def _log_in(client: aiosmtplib.SMTP, username: str, password: str) -> None:
    """Log in, inside TLS, in one attempt: a second after a 535 is how accounts get locked."""
    if "plain" in client.server_auth_methods:
        await client.auth_plain(username, password)
    elif "login" in client.server_auth_methods:
        await client.auth_login(username, password)
    else:
        raise aiosmtplib.SMTPException(_NOT_OFFERED[Stage.LOGIN])


async def _attempt(stage: Stage, step: _Step, username: str) -> Answer | None:
    """Take a step of the opening; None if it went well."""
    try:
        await step()
    except (aiosmtplib.SMTPException, OSError) as error:
        if isinstance(error, aiosmtplib.SMTPResponseException) and error.code > 0:
            return Answer(stage, Reply.parse(error.code, error.message, username))
        failed_in_tls = isinstance(_origin(error), ssl.SSLError)
        return Answer(Stage.TLS if failed_in_tls else stage, None, _trouble(error, stage))
    return None


def _origin(error: BaseException) -> BaseException:
    return error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error


def _trouble(error: Exception, stage: Stage) -> str:
    """Say what went wrong, in words that hold nothing the relay or the configuration said."""
    origin = _origin(error)
    if isinstance(origin, ssl.SSLCertVerificationError):
        return f"The relay's certificate is not trusted: {origin.verify_message}."
    if isinstance(origin, ssl.SSLError):
        return f"TLS failed: {origin.reason or 'no reason given'}."
    said = next((words for kind, words in _TROUBLES if isinstance(origin, kind)), None)
    return said or _NOT_OFFERED.get(stage, "The relay broke the protocol.")
