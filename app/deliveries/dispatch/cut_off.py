"""The end of a sender's connections: what is on the wire may still be answered, but not for ever.

A worker that is cut off notes no result. If its message's final dot was said, the attempt journal
tells so, and the message is uncertain; else it goes back to the ledger.
"""

import asyncio
from collections.abc import Iterable

from app.deliveries.dispatch.connection_worker import ConnectionWorker
from app.log import get_logger

log = get_logger("deliveries")

_GOODBYE = 0.5  # seconds until a worker that was cut off must have ended


async def run_workers(
    workers: Iterable[ConnectionWorker], stop: asyncio.Event, patience: float | None
) -> None:
    """Run all workers until they have stopped, at most `patience` seconds after `stop` is set.

    None waits for ever. Raises an ExceptionGroup of what ended a worker too early; then all end.
    """
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(worker.run(stop)) for worker in workers]
        if patience is not None:
            group.create_task(_cut_off(running, stop, patience))


async def _cut_off(running: list[asyncio.Task[None]], stop: asyncio.Event, patience: float) -> None:
    await stop.wait()
    _, hanging = await asyncio.wait(running, timeout=patience)
    if hanging:
        log.warning("connections are cut off: a relay did not answer in time", count=len(hanging))
    while hanging:  # one that cleans up may hang again, as at a database that is silent
        for task in hanging:
            task.cancel()
        _, hanging = await asyncio.wait(hanging, timeout=_GOODBYE)
