"""Many messages over one connection, and what is told of each when the relay misbehaves."""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mail.relay import Relay, Security
from app.mail.replies import Answer, Outcome, Stage, classify
from app.mail.smtp.connection import Connection
from app.mail.smtp.envelope import Envelope
from app.mail.smtp.pipeline import PipelineCallbacks
from app.mail.smtp.timeouts import Timeouts
from tests.support.smtpd import Misdeed, ScriptedServer

HASTY = Timeouts(greeting=2, command=2, data=2, dot=2)


def message(number: int) -> bytes:
    return f"Subject: {number}\r\n\r\n.a dot, and {'a word ' * 100}\r\n".encode()


def envelopes(count: int) -> list[Envelope]:
    return [Envelope("b-1@example.org", f"r{n}@example.org", message(n)) for n in range(count)]


@dataclass
class Story:
    """What a pipeline said of its parcels."""

    waiting: deque[Envelope]
    noted: list[str] = field(default_factory=list)
    done: dict[str, Answer] = field(default_factory=dict)
    given_back: list[str] = field(default_factory=list)
    forbidden: frozenset[str] = frozenset()

    def hands(self) -> PipelineCallbacks[Envelope]:
        async def may_go(item: Envelope) -> bool:
            return item.recipient not in self.forbidden

        def done(item: Envelope, answer: Answer) -> None:
            assert item.recipient not in self.done
            self.done[item.recipient] = answer

        return PipelineCallbacks(
            take=lambda: self.waiting.popleft() if self.waiting else None,
            may_go=may_go,
            noted=lambda item: self.noted.append(item.recipient),
            done=done,
            give_back=lambda item: self.given_back.append(item.recipient),
        )

    def ended(self, outcome: Outcome) -> set[str]:
        return {who for who, answer in self.done.items() if classify(answer).outcome is outcome}


def carried(server: ScriptedServer, count: int, forbidden: frozenset[str] = frozenset()) -> Story:
    """Carry messages over one connection, as far as it goes."""
    story = Story(deque(envelopes(count)), forbidden=forbidden)

    async def run() -> None:
        relay = Relay("127.0.0.1", server.port, Security.NONE)
        connection = await Connection.open(relay, "sender.example.org", timeouts=HASTY)
        assert isinstance(connection, Connection)
        await connection.carry(story.waiting.popleft(), story.hands())
        await connection.close()

    asyncio.run(run())
    return story


def test_messages_arrive_in_order_byte_for_byte() -> None:
    with ScriptedServer() as server:
        story = carried(server, 50)
    assert [each.raw for each in server.messages] == [message(n) for n in range(50)]
    assert len(story.ended(Outcome.ACCEPTED)) == 50
    assert server.record.connections == 1
    assert "RSET" not in server.verbs()


def test_without_pipelining_one_command_at_a_time() -> None:
    with ScriptedServer(withheld=frozenset({"PIPELINING"})) as server:
        story = carried(server, 10)
    assert [each.raw for each in server.messages] == [message(n) for n in range(10)]
    assert len(story.ended(Outcome.ACCEPTED)) == 10


@pytest.mark.parametrize("withheld", [frozenset[str](), frozenset({"PIPELINING"})])
@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize("place", [0, 4, 9])
def test_one_refused_among_many(command: str, place: int, withheld: frozenset[str]) -> None:
    misdeed = Misdeed(command, reply="450 4.2.1 Not now", times=1, skip=place)
    with ScriptedServer(misdeed, withheld=withheld) as server:
        story = carried(server, 10)
    assert story.ended(Outcome.RETRY) == {f"r{place}@example.org"}
    assert len(story.ended(Outcome.ACCEPTED)) == 9
    assert Counter(each.recipients for each in server.messages) == {
        (f"r{n}@example.org",): 1 for n in range(10) if n != place
    }
    assert story.done[f"r{place}@example.org"].stage is Stage(command.lower())


def test_a_relay_that_wants_content_for_nobody_gets_a_lone_dot() -> None:
    """RFC 2920 §3.1: the server may answer 354 though it refused the only recipient."""
    script = (
        Misdeed("RCPT", containing="r3@", reply="550 5.1.1 No"),
        Misdeed("DATA", reply="354 Go ahead", times=1, skip=3),
    )
    with ScriptedServer(*script) as server:
        story = carried(server, 8)
    assert story.ended(Outcome.FAILED) == {"r3@example.org"}
    assert len(story.ended(Outcome.ACCEPTED)) == 7
    to_nobody = [each for each in server.messages if not each.recipients]
    assert [each.raw for each in to_nobody] == [b""]
    assert len(server.messages) == 8


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_connection_lost_at_the_dot_leaves_one_in_doubt(
    drop: Literal["before", "after"],
) -> None:
    with ScriptedServer(Misdeed("DOT", drop=drop, times=1, skip=2)) as server:
        story = carried(server, 6)
    assert story.ended(Outcome.UNCERTAIN) == {"r2@example.org"}
    assert story.given_back == ["r3@example.org"]
    assert len(story.ended(Outcome.ACCEPTED)) == 2
    assert len(server.messages) == (2 if drop == "before" else 3)
    assert [each.recipient for each in story.waiting] == ["r4@example.org", "r5@example.org"]


def test_a_relay_that_closes_at_the_dot_has_not_taken_the_message() -> None:
    with ScriptedServer(Misdeed("DOT", reply="421 4.3.2 Closing", times=1, skip=1)) as server:
        story = carried(server, 4)
    assert story.ended(Outcome.RETRY) == {"r1@example.org"}
    assert story.given_back == ["r2@example.org"]
    assert len(server.messages) == 1


def test_what_may_not_go_is_not_sent_and_ends_the_connection() -> None:
    with ScriptedServer() as server:
        story = carried(server, 5, forbidden=frozenset({"r2@example.org"}))
    assert [each.recipients for each in server.messages] == [
        ("r0@example.org",),
        ("r1@example.org",),
    ]
    assert "r2@example.org" not in story.noted
    assert "r2@example.org" not in story.done


@dataclass
class Turns:
    """Counts how often a server had to wait for us: the round trips."""

    count: int = 0
    messages: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        pending, in_content, quit_ = b"", False, False
        while not quit_ and (data := await reader.read(1 << 20)):
            self.count += 1
            pending += data
            replies = []
            while b"\r\n" in pending and not quit_:
                line, pending = pending.split(b"\r\n", 1)
                if in_content:
                    if line == b".":
                        in_content = False
                        self.messages += 1
                        replies.append(b"250 taken\r\n")
                    continue
                verb = line[:4].upper()
                in_content, quit_ = verb == b"DATA", verb == b"QUIT"
                replies.append(_REPLIES.get(verb, b"250 ok\r\n"))
            writer.write(b"".join(replies))
        writer.close()


_REPLIES = {b"EHLO": b"250-here\r\n250 PIPELINING\r\n", b"DATA": b"354 go\r\n"}


def test_a_message_costs_one_round_trip() -> None:
    turns, story = Turns(), Story(deque(envelopes(100)))

    async def run() -> None:
        server = await asyncio.start_server(turns.talk, "127.0.0.1", 0)
        relay = Relay("127.0.0.1", server.sockets[0].getsockname()[1], Security.NONE)
        connection = await Connection.open(relay, "sender.example.org", timeouts=HASTY)
        assert isinstance(connection, Connection)
        await connection.carry(story.waiting.popleft(), story.hands())
        await connection.close()
        server.close()
        await server.wait_closed()

    asyncio.run(run())
    assert turns.messages == 100
    assert turns.count <= 120  # hello and goodbye among them


_MISDEEDS = st.builds(
    Misdeed,
    command=st.sampled_from(["MAIL", "RCPT", "DATA", "DOT", "RSET"]),
    reply=st.sampled_from(
        [None, "450 4.2.1 later", "550 5.1.1 no", "421 closing", "250 ok", "nonsense"]
    ),
    drop=st.sampled_from([None, None, None, "before", "after"]),
    half=st.sampled_from([False, False, False, True]),
    times=st.integers(1, 2),
    skip=st.integers(0, 7),
)


@given(
    script=st.lists(_MISDEEDS, max_size=3),
    withheld=st.sampled_from([frozenset[str](), frozenset({"PIPELINING"})]),
)
@settings(max_examples=60, deadline=None)
def test_no_message_is_lost_or_told_wrongly_whatever_the_relay_does(
    script: list[Misdeed], withheld: frozenset[str]
) -> None:
    with ScriptedServer(*script, withheld=withheld) as server:
        story = carried(server, 8)
    taken = Counter(each.recipients[0] for each in server.messages)
    everyone = {each.recipient for each in envelopes(8)}
    untouched = {each.recipient for each in story.waiting} | set(story.given_back)
    assert set(story.done) | untouched == everyone
    assert not set(story.done) & untouched
    assert max(taken.values(), default=0) <= 1
    # The relay's own word at the dot is all that "taken" rests on; a script may lie there.
    lies = any(m.command in ("DOT", "DATA") and m.reply is not None for m in script)
    if not lies:
        assert story.ended(Outcome.ACCEPTED) <= set(taken)
        # A relay that says it has forgotten a message, and has not, mixes up its recipients.
        if not any(m.command == "RSET" and m.reply is not None for m in script):
            assert set(taken) <= story.ended(Outcome.ACCEPTED) | story.ended(Outcome.UNCERTAIN)
    assert set(taken) <= set(story.noted)
    assert len(story.ended(Outcome.UNCERTAIN)) <= 1
