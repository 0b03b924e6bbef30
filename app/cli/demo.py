"""`vestka demo`: a trial instance with an inbox to look into. Nothing in it is real, nothing stays.

A signal ends it at any moment: the service is stopped, and its folder removed.
"""

import asyncio
import contextlib
import shlex
import signal
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from app.cli.output import AsJson, print_json
from app.clock import SystemClock
from app.demo import scenario
from app.demo.inbox_pages import showing
from app.demo.instance import LOOPBACK, Instance, free_port, running
from app.demo.readers import READERS
from app.demo.smtpd import Receiver
from app.issues.week import Week
from app.newsletter import Newsletter

T = TypeVar("T")

INTERRUPTED = 130


def demo(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="do not stay up; 1 if anything is wrong")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start a trial instance: it subscribes readers, sends them an issue, and stays to be tried."""
    # What people read goes to standard output, unless a program reads that.
    status = asyncio.run(_until_signalled(_demo(Console(stderr=as_json), once, as_json)))
    raise typer.Exit(status)


async def _until_signalled(work: Awaitable[int]) -> int:
    """Do the work until SIGINT, SIGTERM or SIGHUP; a second signal does not disturb the end."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()

    def stop() -> None:
        if not stopping.is_set():
            stopping.set()
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        return INTERRUPTED


async def _demo(console: Console, once: bool, as_json: bool) -> int:  # noqa: FBT001 - private
    newsletter = Newsletter.load()
    today = SystemClock().now().date()
    console.print(
        "[bold]Vestka, a trial instance.[/] Nothing in it is real; nothing leaves this machine.\n"
    )
    async with _receiving() as (receiver, relay), running(relay, today) as instance:
        inbox = receiver.inbox
        inbox_port = free_port(8025)
        async with showing(inbox, f"{instance.public}/form", inbox_port):
            outcome = await _unless_ended(
                instance, _story(console, instance, newsletter, Week.of(today), receiver)
            )
            places = {
                "inbox": f"http://{LOOPBACK}:{inbox_port}/",
                "form": f"{instance.public}/form",
                "operators": instance.operators,
                "key": instance.key,
                "settings": str(instance.settings),
                "log": str(instance.log),
            }
            if as_json:
                print_json(_summary(outcome, {} if once else places))
            if once:
                return 0 if outcome.ok else 1
            _show_places(console, places)
            await _stay(instance)
    return 0


async def _stay(instance: Instance) -> None:
    """Stay up until a signal, which is the way to end this, or until the service ends."""
    with contextlib.suppress(asyncio.CancelledError):
        await instance.ended()


async def _unless_ended(instance: Instance, work: Awaitable[T]) -> T:
    """Do the work; raise ServiceEnded if the service ends meanwhile."""
    doing, ending = asyncio.ensure_future(work), asyncio.ensure_future(instance.ended())
    try:
        await asyncio.wait({doing, ending}, return_when=asyncio.FIRST_COMPLETED)
        if ending.done():
            ending.result()
        return await doing
    finally:
        doing.cancel()
        ending.cancel()


@asynccontextmanager
async def _receiving() -> AsyncIterator[tuple[Receiver, int]]:
    receiver = Receiver()
    port = await receiver.start()
    try:
        yield receiver, port
    finally:
        await receiver.stop()


async def _story(
    console: Console, instance: Instance, newsletter: Newsletter, week: Week, receiver: Receiver
) -> scenario.Outcome:
    _done(console, "the service is up")
    await scenario.subscribe(instance)
    await scenario.confirm(instance, receiver.inbox)
    _done(console, f"{len(READERS)} readers subscribed, and confirmed by the links they were sent")
    mailings = await scenario.publish(instance, newsletter, week)
    labels = " and ".join(segment.label for segment in newsletter.segments)
    _done(console, f"the issue {week} stored, approved, and launched to {labels}")
    outcome = await scenario.see(instance, newsletter, week, mailings, receiver.inbox)
    for fault in outcome.faults:
        console.print(f"  [red]✗[/] {fault}", soft_wrap=True)
    if outcome.ok:
        _done(console, f"{outcome.messages} emails came, to each reader exactly their own")
    return outcome


def _done(console: Console, what: str) -> None:
    console.print(f"  [green]✓[/] {what}", highlight=False, soft_wrap=True)


def _summary(outcome: scenario.Outcome, places: dict[str, str]) -> dict[str, Any]:
    return {
        "ok": outcome.ok,
        "readers": len(READERS),
        "messages": outcome.messages,
        "week": outcome.week,
        "mailings": outcome.mailings,
        "faults": outcome.faults,
        **places,
    }


def _show_places(console: Console, places: dict[str, str]) -> None:
    bearer = f"Authorization: Bearer {places['key']}"
    lines = (
        ("Inbox", places["inbox"]),
        ("Readers' form", places["form"]),
        ("Operators' API", f'curl -H "{bearer}" {places["operators"]}/v1/mailings'),
        ("", f"{places['operators']}/openapi.json describes it"),
        (
            "Command line",
            f". {shlex.quote(places['settings'])}; python3 dev.py vestka mailing list",
        ),
        ("", "(in a shell of its own: it sets what `vestka serve` was started with)"),
        ("Service log", places["log"]),
    )
    console.print("\n[bold]Look here[/]")
    for name, where in lines:
        console.print(f"  {name:<15}{where}", highlight=False, soft_wrap=True, markup=False)
    console.print("\nCtrl-C stops it, and leaves nothing behind.")
