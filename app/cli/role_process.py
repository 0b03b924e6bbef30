"""What the process of any role does: it hears a stop, and ends when one of its tasks fails."""

import asyncio
import sys
from collections.abc import Callable

from app.cli.stopping import Stopping
from app.errors import DomainError
from app.log import get_logger

log = get_logger("serve")


async def until_stopped(
    stopping: Stopping, tasks: list[asyncio.Task[None]], tell: Callable[[], None]
) -> None:
    """Wait for a signal, or for a task that fails; then `tell` all to finish, and wait for them.

    Raises the refusal that a task ended with; ends the process with status 1 for anything else.
    """
    told = asyncio.create_task(stopping.event.wait())
    await asyncio.wait({told, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    stopping.begin()
    stopping.event.set()
    tell()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    for failure in failures:
        if isinstance(failure, DomainError):
            raise failure
        log.error("a role failed", exc_info=failure)
    if failures:
        sys.exit(1)
