"""Opening a connection to a relay: connect, TLS, login.

The only importer of aiosmtplib. Once a connection is open its transport is handed to our own
pipeline, which always knows how far a message came. What goes wrong on the wire is an Answer,
never an exception, and the bytes of a message go out as they are.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import aiosmtplib

from app.mail.relay import Relay, Security
from app.mail.replies import Answer, Reply, Stage
from app.mail.smtp.envelope import Envelope
from app.mail.smtp.pipeline import Capabilities, P, Pipeline, PipelineCallbacks
from app.mail.smtp.reply_reader import ReplyReader
from app.mail.smtp.timeouts import PATIENT, Timeouts

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


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a relay told of itself while the connection was opened; for those who set it up."""

    greeting: str
    tls: str | None  # the version, such as TLSv1.3
    certificate_ends: datetime | None


@dataclass(frozen=True)
class Connection:
    """An open connection. Made by `open`."""

    relay: Relay
    pipeline: Pipeline
    about: "ServerInfo"

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
        greeting: list[str] = []
        try:
            failure = await _open(client, relay, timeouts, greeting)
        except BaseException:
            _cut(client)  # cancelled on the way
            raise
        if failure is not None:
            _cut(client)
            return failure
        if not isinstance(client.transport, asyncio.Transport):
            return Answer(Stage.CONNECT, None, "The relay closed the connection.")
        about = _about(client.transport, greeting)
        return cls(relay, Pipeline(ReplyReader(client.transport), _offers(client), timeouts), about)

    @property
    def usable(self) -> bool:
        """Whether another message may be sent over this connection."""
        return self.pipeline.usable

    def offers(self, extension: str) -> bool:
        """Whether the relay offered this extension (after TLS, if there is TLS)."""
        return extension.lower() in self.pipeline.offers.extensions

    async def send(
        self, sender: str, recipient: str, message: bytes, *, noted: Callable[[], None]
    ) -> Answer:
        """Send one message, and say how far it came.

        `noted` is called once, just before the first byte that could make the relay take the
        message, and not at all for a message refused earlier; if it raises, the connection is cut
        and the relay takes nothing. Raises EnvelopeUnsafe before anything is said.
        """
        answers: list[Answer] = []
        hands = PipelineCallbacks[Envelope](
            take=lambda: None,
            may_go=_always,
            noted=lambda _: noted(),
            done=lambda _, answer: answers.append(answer),
            give_back=lambda _: None,
        )
        await self.carry(Envelope(sender, recipient, message), hands)
        return answers[0]

    async def carry(self, first: P, hands: PipelineCallbacks[P]) -> None:
        """Send `first`, and then whatever `hands` take, one round trip each."""
        await self.pipeline.run(first, hands)

    def abort(self) -> None:
        """Cut the connection without a word: the relay forgets what it has not taken."""
        self.pipeline.cut()

    async def close(self) -> None:
        """Say goodbye. What the relay answers, if anything, changes nothing."""
        await self.pipeline.close()


async def _always(_: object) -> bool:
    return True


def _offers(client: aiosmtplib.SMTP) -> Capabilities:
    """Take note of what was offered; 0, or no number, is no limit of size (RFC 1870 §4)."""
    limit = client.esmtp_extensions.get("size", "")
    largest = int(limit) if limit.isdecimal() else 0
    return Capabilities(frozenset(client.esmtp_extensions), largest)


def _about(transport: asyncio.Transport, greeting: list[str]) -> ServerInfo:
    tls = transport.get_extra_info("ssl_object")
    if not isinstance(tls, ssl.SSLObject):
        return ServerInfo("".join(greeting), None, None)
    ends = (tls.getpeercert() or {}).get("notAfter")
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(ends)), UTC) if ends else None
    return ServerInfo("".join(greeting), tls.version(), until)


def _cut(client: aiosmtplib.SMTP) -> None:
    """Close at once, not after the goodbye of TLS: a relay that hangs would keep it open."""
    if isinstance(client.transport, asyncio.WriteTransport):
        client.transport.abort()
    client.close()


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


async def _open(
    client: aiosmtplib.SMTP, relay: Relay, timeouts: Timeouts, greeting: list[str]
) -> Answer | None:
    """Open the connection, and keep what the relay said first; None if every step went well."""
    for stage, step in _opening(client, relay, timeouts, greeting):
        failure = await _attempt(stage, step, relay.username or "")
        if failure is not None:
            return failure
    return None


_Step = Callable[[], Awaitable[object]]


def _opening(
    client: aiosmtplib.SMTP, relay: Relay, timeouts: Timeouts, greeting: list[str]
) -> Iterator[tuple[Stage, _Step]]:
    """The steps that open a connection; nothing secret is said before TLS is up."""

    async def connect() -> None:
        greeting.append((await client.connect(timeout=timeouts.greeting)).message)

    yield Stage.CONNECT, connect
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
