"""One run of the real sender until its mailing is finished; prints what it took, as JSON."""

import asyncio
import json
import os
import resource
import sys
import time

from sqlalchemy import func, select

from app.cli.opening import Opened
from app.deliveries.models import Delivery
from app.mailings.models import Mailing
from app.sender import prepare


async def _until_finished(opened: Opened, stop: asyncio.Event) -> tuple[float, float]:
    started = None
    while True:
        await asyncio.sleep(0.1)
        state, sent = await asyncio.to_thread(_look, opened)
        if started is None and sent:
            started = time.perf_counter()
        if state == "finished":
            stop.set()
            return started or 0.0, time.perf_counter()


def _look(opened: Opened) -> tuple[str, bool]:
    with opened.database.reading() as session:
        state = session.scalars(select(Mailing.state)).one()
        sent = session.scalar(select(Delivery.id).where(Delivery.state == "sent").limit(1))
        return state, sent is not None


async def run() -> None:
    """Send the mailing of the installation that the environment describes."""
    opened = Opened()
    opened.data_dir()
    sender = prepare(
        opened.settings, opened.database, opened.newsletter, opened.keyring, opened.clock
    )
    stop = asyncio.Event()
    before = time.perf_counter()
    running = asyncio.create_task(sender.run(stop))
    first, last = await _until_finished(opened, stop)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    await running
    with opened.database.reading() as session:
        count = session.scalar(select(func.count()).where(Delivery.state == "sent")) or 0
    record = {
        "letters": count,
        "seconds": last - before,
        "to_first": first - before,
        "cpu_us": (usage.ru_utime + usage.ru_stime) / max(count, 1) * 1e6,
        "rss_mb": usage.ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    if os.environ.get("BENCH_PROFILE"):
        import cProfile

        cProfile.run("asyncio.run(run())", os.environ["BENCH_PROFILE"])
    else:
        asyncio.run(run())
