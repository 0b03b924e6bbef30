"""A mailing watched at a terminal: a bar, the rate and the time left, until it stands still."""

import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from app.mailings.states import ENROLLING, RUNNING

LOOK_EVERY = 0.5  # seconds


def follow(look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Look again and again, and show what is seen; return the mailing as it came to a stand."""
    record = look()
    with _progress() as progress:
        task = progress.add_task(f"{record['week']} {record['segment']}", total=None)
        while True:
            progress.update(task, total=record["audience"], completed=_done(record))
            if record["state"] not in (ENROLLING, RUNNING):
                return record
            time.sleep(LOOK_EVERY)
            record = look()


def _done(record: dict[str, Any]) -> int:
    """Count the emails that will not move by themselves any more."""
    settled = record["sent"] + record["failed"] + record["uncertain"]
    return int(settled + sum(record["excluded"].values()))


class _Rate(ProgressColumn):
    """Emails per second, as far as it can be told."""

    def render(self, task: Task) -> Text:
        """Write the rate."""
        return Text(f"{task.speed:,.0f}/s" if task.speed else "–/s")


def _progress() -> Progress:
    """Make the bar, on standard error: standard output is for the last state."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True))
