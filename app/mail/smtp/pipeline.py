"""Many messages over one connection, with one round trip each.

With PIPELINING (RFC 2920) the final dot of a message and MAIL, RCPT, DATA of the next travel in one
packet, and replies match strictly by order; without it, one command at a time. From the note of its
attempt to the reply to its dot a connection has one message at most: that is what can be in doubt.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Generic, Protocol, TypeVar

from app.mail.replies import Answer, Reply, Stage
from app.mail.smtp.reply_reader import Heard, ReplyReader
from app.mail.smtp.timeouts import Timeouts

_BEGIN = 354  # "Start mail input"
_CLOSING = 421
_YES = (250, 250, _BEGIN)
_STAGES = (Stage.MAIL, Stage.RCPT, Stage.DATA)


class OutboundMessage(Protocol):
    """What a pipeline carries: an envelope, and the message's bytes as DATA wants them.

    What follows the message on the wire is given, so that both can be joined at once.
    """

    @property
    def sender(self) -> str: ...  # noqa: D102 (an attribute)
    @property
    def recipient(self) -> str: ...  # noqa: D102
    def on_the_wire(self, following: bytes, /) -> bytes: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102


P = TypeVar("P", bound=OutboundMessage)


@dataclass(frozen=True)
class PipelineCallbacks(Generic[P]):
    """Whom a pipeline works for.

    `take` gives the next parcel if one is there. Just before a parcel's content goes, `goes` tells
    whether it may; where that is not known yet, `may_go` is waited for. `noted` is told then, and
    if it raises nothing goes; `done` gets what the relay said; `give_back` gets a parcel of which
    the relay has heard nothing that could be its fault.
    """

    take: Callable[[], P | None]
    may_go: Callable[[P], Awaitable[bool]]
    noted: Callable[[P], None]
    done: Callable[[P, Answer], None]
    give_back: Callable[[P], None]
    goes: Callable[[P], bool] = lambda _: False


@dataclass(frozen=True)
class Capabilities:
    """What the relay offered after TLS; only that is used (RFC 5321 §2.2.1).

    `extensions` in lower case; `largest` message in octets, 0 for no limit (RFC 1870 §4).
    """

    extensions: frozenset[str]
    largest: int

    @cached_property
    def pipelining(self) -> bool:
        """Whether commands may travel together (RFC 2920)."""
        return "pipelining" in self.extensions


_XTEXT = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)  # of RFC 3461 §4, what needs no escape


class Pipeline:
    """Carries parcels over an open connection until there are none, or the connection ends."""

    def __init__(self, wire: ReplyReader, offers: Capabilities, timeouts: Timeouts) -> None:
        """Take over a connection on which nothing is under way."""
        self._wire = wire
        self._timeouts = timeouts
        self._must_reset = False
        self._says_size = "size" in offers.extensions
        self.offers = offers

    @property
    def usable(self) -> bool:
        """Whether another parcel may be sent."""
        return not self._wire.lost

    async def run(self, first: P, hands: PipelineCallbacks[P]) -> None:
        """Carry `first`, and then whatever there is to take."""
        current: P | None = first
        self._begin(first)
        try:
            while current is not None:
                current = await self._carry(current, hands)
        except BaseException:
            self._wire.cut()  # stopped in the middle: the conversation has lost its place
            raise

    async def _carry(self, item: P, hands: PipelineCallbacks[P]) -> P | None:
        """Bring `item` to its end; return the next one, whose transaction is begun."""
        refusal = self._too_large(item) or await self._transaction(item)
        if refusal is not None:
            hands.done(item, refusal)
            return self._next(hands)
        if self._gone():  # nothing was sent that the relay could take
            hands.done(item, Answer(Stage.DATA, None, self._wire.trouble))
            return None
        if not (hands.goes(item) or await hands.may_go(item)):
            self._wire.cut()  # the relay waits for content; nothing else tells it that none comes
            return None
        hands.noted(item)
        following = hands.take()
        # In one piece: what is written in two goes in two packets.
        self._wire.say(item.on_the_wire(self._beginning(following)))
        answer = await self._hear(Stage.DOT, item, self._timeouts.dot)
        hands.done(item, answer)
        # A refused message is forgotten by itself; what may be left of it is cleared all the same.
        self._must_reset = following is None and not _goes_on(answer)
        if self._gone():
            if following is not None:
                hands.give_back(following)
            return None
        if following is not None and not self.offers.pipelining:
            self._begin(following)
        return following

    def _next(self, hands: PipelineCallbacks[P]) -> P | None:
        item = hands.take() if self.usable else None
        if item is not None:
            self._begin(item)
        return item

    def _too_large(self, item: P) -> Answer | None:
        if 0 < self.offers.largest < item.size:
            return Answer(Stage.MAIL, Reply(552, "5.3.4", "The message is over the relay's limit."))
        return None

    def _begin(self, item: P) -> None:
        """Say all that may be said before a reply."""
        if beginning := self._beginning(item):
            self._wire.say(beginning)

    def _beginning(self, item: P | None) -> bytes:
        """Return what may be said before a reply: with PIPELINING the whole transaction."""
        if item is None or not self.offers.pipelining or self._too_large(item):
            return b""
        return b"".join(self._commands(item))

    def _commands(self, item: P) -> list[bytes]:
        size = f" SIZE={item.size}" if self._says_size else ""
        commands = [
            f"MAIL FROM:<{item.sender}>{size}{self._named(item)}\r\n".encode("ascii"),
            f"RCPT TO:<{item.recipient}>\r\n".encode("ascii"),
            b"DATA\r\n",
        ]
        return [b"RSET\r\n", *commands] if self._must_reset else commands

    def _named(self, item: P) -> str:
        """Ask for reports that name the message (its return path, as xtext) and hold its header.

        RFC 3461 §4.3, §4.4: a second way to tell which message came back, with less of it.
        """
        if "dsn" not in self.offers.extensions:
            return ""
        name = item.sender.partition("@")[0]
        if not _XTEXT.fullmatch(name):
            return ""
        return f" RET=HDRS ENVID={name}"

    async def _transaction(self, item: P) -> Answer | None:
        """Hear the replies up to 354; return the first that is a refusal.

        A refused RCPT may still get 354 for its DATA: then a lone dot ends it (RFC 2920 §3.1).
        """
        if self.offers.pipelining and not self._must_reset and self._wire.all_at_hand(*_YES):
            return None  # nearly always: they came with the reply to the message before
        commands = self._commands(item)
        if self._must_reset and not await self._reset(commands.pop(0), item):
            return Answer(Stage.MAIL, None, "The relay could not forget the message before.")
        self._must_reset = False
        refusal: Answer | None = None
        for stage, command in zip(_STAGES, commands, strict=True):
            if not self.offers.pipelining:
                self._wire.say(command)
            patience = self._timeouts.data if stage is Stage.DATA else self._timeouts.command
            answer = await self._hear(stage, item, patience)
            if answer.reply is None:
                return refusal or answer
            if refusal is not None:
                await self._end_empty(answer, item)
            elif not _goes_on(answer):
                refusal = answer
                if not self.offers.pipelining:
                    break
        self._must_reset = refusal is not None
        return refusal

    async def _reset(self, command: bytes, item: P) -> bool:
        """End a transaction that was refused; a relay that cannot is left alone."""
        if not self.offers.pipelining:
            self._wire.say(command)
        answer = await self._hear(Stage.MAIL, item, self._timeouts.command)
        if answer.reply is None or not answer.reply.positive:
            self._wire.cut()
        return not self._gone()

    async def _end_empty(self, answer: Answer, item: P) -> None:
        if answer.reply is not None and answer.reply.code == _BEGIN:
            self._wire.say(b".\r\n")
            await self._hear(Stage.DOT, item, self._timeouts.dot)

    async def _hear(self, stage: Stage, item: P, seconds: float) -> Answer:
        heard = await self._wire.reply(seconds)
        if heard is None:
            return Answer(stage, None, self._wire.trouble)
        return self._read(stage, item, heard)

    def _read(self, stage: Stage, item: P, heard: Heard) -> Answer:
        code, text = heard
        if stage is not Stage.DOT and code < 400:
            return _yes(stage, code)
        if code == _CLOSING:
            self._wire.cut()
        words = text.decode("utf-8", "surrogateescape")
        if code < 300:
            return Answer.taken(code, words)
        return Answer(stage, Reply.parse(code, words, item.recipient))

    def _gone(self) -> bool:
        """Ask anew each time: the connection may have ended since."""
        return self._wire.lost

    def cut(self) -> None:
        """End the connection without a word."""
        self._wire.cut()

    async def close(self) -> None:
        """Say goodbye; what the relay answers, if anything, changes nothing."""
        if self.usable:
            self._wire.say(b"QUIT\r\n")
            await self._wire.reply(min(self._timeouts.command, 5))
        self._wire.cut()


@cache
def _yes(stage: Stage, code: int) -> Answer:
    """Return a yes before the dot: nobody reads its words."""
    return Answer(stage, Reply(code, None, ""))


def _goes_on(answer: Answer) -> bool:
    if answer.reply is None:
        return False
    return answer.reply.code == _BEGIN if answer.stage is Stage.DATA else answer.reply.positive
