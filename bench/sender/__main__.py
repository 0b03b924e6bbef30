"""One run of the real sender until its mailing is finished; prints what it took, as JSON.

CPU and memory are those of the sender and of the processes that open messages for it; the CPU is
counted from the first message that went to the last, so that starting Python is not shared out.
It is a package's main module because a process that is started takes no other along.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from multiprocessing import active_children

from sqlalchemy import func, select

from app.cli.app_context import CommandContext
from app.deliveries.ledger.models import Delivery
from app.mailings.models import Mailing
from app.mailings.states import ENROLLING, FINISHED
from app.sender import prepare
from bench.processes import cpu_seconds, peak_mb

LOOK_EVERY = 0.1


@dataclass(frozen=True)
class Moment:
    """A look at the sender: the clock (s), CPU used so far (s), whether a message has gone."""

    at: float
    cpu: float
    sent: bool
    state: str


def _processes() -> list[int | str]:
    return ["self", *(child.pid for child in active_children() if child.pid)]


def _look(opened: CommandContext, sent: bool) -> Moment:  # noqa: FBT001 (it is called in a thread)
    """Look, and ask for no more than is not known: what the look takes is counted as the sender's.

    A count of a million rows would be a part of what is measured.
    """
    with opened.database.reading() as session:
        state = session.scalars(select(Mailing.state)).one()
        if not sent and state != ENROLLING:
            any_ = select(Delivery.id).where(Delivery.state == "sent").limit(1)
            sent = session.scalar(any_) is not None
    return Moment(time.perf_counter(), sum(map(cpu_seconds, _processes())), sent, state)


def _messages(opened: CommandContext) -> int:
    with opened.database.reading() as session:
        return session.scalar(select(func.count()).where(Delivery.state == "sent")) or 0


async def _moments(opened: CommandContext, running: asyncio.Task[None]) -> AsyncIterator[Moment]:
    sent = False
    while not running.done():
        await asyncio.sleep(LOOK_EVERY)
        moment = await asyncio.to_thread(_look, opened, sent)
        sent = moment.sent
        yield moment
    await running
    raise RuntimeError("the sender ended before its mailing")


async def run() -> None:
    """Send the mailing of the installation that the environment describes."""
    opened = CommandContext()
    opened.data_dir()
    sender = prepare(
        opened.settings, opened.database, opened.newsletter, opened.keyring, opened.clock
    )
    stop = asyncio.Event()
    before = time.perf_counter()
    running = asyncio.create_task(sender.run(stop))
    moments = _moments(opened, running)
    enrolled = await _first(moments, lambda moment: moment.state != ENROLLING)
    first = enrolled if enrolled.sent else await _first(moments, lambda moment: moment.sent)
    begun = await asyncio.to_thread(_messages, opened)
    last = await _first(moments, lambda moment: moment.state == FINISHED)
    peaks = [peak_mb(pid) for pid in _processes()]
    stop.set()
    await running
    messages = await asyncio.to_thread(_messages, opened)
    record = {
        "messages": messages,
        "rate": (messages - begun) / (last.at - first.at),
        "to_enrol": enrolled.at - before,
        "to_first": first.at - before,
        "cpu_us": (last.cpu - first.cpu) / (messages - begun) * 1e6,
        "peak_mb": peaks[0],
        "opener_mb": sum(peaks[1:]),
    }
    sys.stdout.write(json.dumps(record) + "\n")


async def _first(moments: AsyncIterator[Moment], wanted: Callable[[Moment], bool]) -> Moment:
    async for moment in moments:
        if wanted(moment):
            return moment
    raise RuntimeError("there was no such moment")


if __name__ == "__main__":
    asyncio.run(run())
