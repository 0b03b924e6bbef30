"""Our connections alone, with a message that is ready: the most that the whole sender could reach.

Prints messages a second: `python -m bench.transport PORT LETTERS BYTES`.
"""

import asyncio
import sys
import time

from app.mail.relay import Relay
from app.mail.replies import Answer
from app.mail.smtp.connection import Connection
from app.mail.smtp.envelope import Envelope
from app.mail.smtp.pipeline import PipelineCallbacks

CONNECTIONS = 10
LINE = b"x" * 74 + b"\r\n"


async def send(port: int, messages: int, size: int) -> float:
    """Send so many messages of about `size` bytes; return how many went in a second.

    Raises RuntimeError if one was not taken.
    """
    message = Envelope(
        "a@example.org", "b@example.org", b"Subject: x\r\n\r\n" + LINE * (size // len(LINE))
    )
    left = iter(range(messages - CONNECTIONS))
    taken: list[Answer] = []

    async def may_go(_: Envelope) -> bool:
        return True

    hands = PipelineCallbacks[Envelope](
        take=lambda: message if next(left, None) is not None else None,
        may_go=may_go,
        noted=lambda _: None,
        done=lambda _, answer: taken.append(answer),
        give_back=lambda _: None,
        goes=lambda _: True,
    )
    relay = Relay.parse(f"smtp+insecure://127.0.0.1:{port}")
    opened = [await Connection.open(relay, "news.example.org") for _ in range(CONNECTIONS)]
    connections = [each for each in opened if isinstance(each, Connection)]
    began = time.perf_counter()
    await asyncio.gather(*(each.carry(message, hands) for each in connections))
    took = time.perf_counter() - began
    for each in connections:
        await each.close()
    if sum(answer.reply is not None and answer.reply.positive for answer in taken) != messages:
        raise RuntimeError("not every message was taken")
    return messages / took


if __name__ == "__main__":
    print(asyncio.run(send(*map(int, sys.argv[1:4]))))
