"""What the process of any role does: it hears a stop, and ends when one of its tasks fails."""

import asyncio
import signal
import sys
from collections.abc import Callable

from app.errors import DomainError
from app.log import get_logger

log = get_logger("serve")


def stopped_by_signals() -> asyncio.Event:
    """Return what SIGTERM and SIGINT set from now on. SIGHUP changes nothing."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return stop


async def until_stopped(
    stop: asyncio.Event, tasks: list[asyncio.Task[None]], tell: Callable[[], None]
) -> None:
    """Wait for a signal, or for a task that fails; then `tell` all to finish, and wait for them.

    Raises the refusal that a task ended with; ends the process with status 1 for anything else.
    """
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    tell()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    for failure in failures:
        if isinstance(failure, DomainError):
            raise failure
        log.error("a role failed", exc_info=failure)
    if failures:
        sys.exit(1)
