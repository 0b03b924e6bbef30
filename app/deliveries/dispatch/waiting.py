"""How the engine waits: for database work that a thread does, for events, for a time."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def in_thread(act: Callable[..., T], *arguments: Any) -> T:
    """Run database work off the loop."""
    return await asyncio.to_thread(act, *arguments)


async def until_any(seconds: float, *events: asyncio.Event) -> None:
    """Wait until one of the events is set, or so many seconds have passed."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait so many seconds, or until `stop` is set."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def ends_within(task: asyncio.Future[None], patience: float | None) -> bool:
    """Wait for a task, at most `patience` seconds, then leave it; tell whether it ended by itself.

    Raises what it raised.
    """
    _, hanging = await asyncio.wait({task}, timeout=patience)
    if hanging:
        task.cancel()
        return False
    await task
    return True
