"""Personalising many messages in worker processes, which end when nobody needs them."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from multiprocessing import active_children
from pathlib import Path

import dkim
import pytest

from app.addresses.keyring import Keyring
from app.database import Database
from app.deliveries.compose import worker_pool
from app.deliveries.compose.personalisation import (
    Batch,
    PersonalisationFailed,
    PersonalisedMessage,
    Personaliser,
)
from app.deliveries.compose.worker import WorkerConfig
from app.deliveries.compose.worker_pool import WorkerPool
from app.deliveries.dispatch.exchange import Report
from app.mail.dkim.dkim_keys import create_dkim_key, load_dkim_keys
from app.mail.dkim.signature import DkimKey
from app.mail.message.message_template import Filled
from app.mail.message.signing import Signed
from tests.deliveries.desk import DOMAINS, Desk
from tests.deliveries.rows import a_mailing
from tests.support.clock import MONDAY

Result = list[PersonalisedMessage | PersonalisationFailed]


@pytest.fixture
def batch(database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch) -> Batch:
    """Some messages; let them count as many."""
    monkeypatch.setattr(worker_pool, "MANY", 3)
    with database.transaction() as session:
        a_mailing(session, keyring, 6)
    return Desk(database, keyring).ledger.turn(Report(), [], 6).batch


@pytest.fixture
def made(keyring: Keyring, keys_dir: Path) -> Iterator[WorkerPool]:
    recipe = WorkerConfig(keys_dir, "example.org", DOMAINS, None)
    yield WorkerPool(Personaliser(keyring, DOMAINS), recipe)
    # Who joins them is the pool's own thread; whoever joined them too would come back too early.
    until = time.monotonic() + 20
    while active_children() and time.monotonic() < until:
        time.sleep(0.01)
    assert not active_children()


def opened(made: WorkerPool, *batches: Batch) -> list[Result]:
    async def run() -> list[Result]:
        try:
            return [await made.open(batch, MONDAY) for batch in batches]
        finally:
            made.close()

    return asyncio.run(run())


def test_another_process_makes_the_same_messages(
    batch: Batch, made: WorkerPool, keyring: Keyring
) -> None:
    assert opened(made, batch) == [Personaliser(keyring, DOMAINS).open(batch, MONDAY)]


def test_a_process_that_dies_loses_nothing(
    batch: Batch, made: WorkerPool, keyring: Keyring
) -> None:
    async def run() -> list[Result]:
        results = [await made.open(batch, MONDAY)]
        for child in active_children():
            os.kill(child.pid or 0, signal.SIGKILL)
            child.join()
        results += [await made.open(batch, MONDAY) for _ in range(2)]
        made.close()
        return results

    assert asyncio.run(run()) == [Personaliser(keyring, DOMAINS).open(batch, MONDAY)] * 3


def messages(batch: Batch, result: Result) -> list[bytes]:
    found = []
    for one, each in zip(batch.unopened, result, strict=True):
        assert isinstance(each, PersonalisedMessage)
        filled = Filled(batch.compiled[one.message].template, each.plain)
        found.append(bytes(Signed(each.signatures, filled)))
    return found


def verifies(message: bytes, key: DkimKey) -> bool:
    return bool(dkim.DKIM(message).verify(dnsfunc=lambda *_, **__: key.record.encode()))


def test_keys_that_sign_are_changed_while_it_runs(
    batch: Batch, made: WorkerPool, keys_dir: Path
) -> None:
    async def run() -> None:
        for selector in ("first", "second"):
            key = create_dkim_key(keys_dir, selector, "rsa", "example.org")
            assert made.sign_with([key])
            assert not made.sign_with(load_dkim_keys(keys_dir, "example.org"))
            signed = messages(batch, await made.open(batch, MONDAY))
            assert len(signed) == 6
            assert all(verifies(message, key) for message in signed)
            (keys_dir / f"dkim.{selector}.pem").unlink()
        made.close()

    asyncio.run(run())


def test_a_process_ends_with_the_one_it_works_for(keys_dir: Path) -> None:
    """However that ends: nobody may be left who holds the keys."""
    program = textwrap.dedent(
        f"""
        import sys, time
        from pathlib import Path
        from app.deliveries.compose.worker_pool import _pool
        from app.deliveries.compose.personalisation import Batch, Domains
        from app.deliveries.compose.worker import WorkerConfig, opened, pack
        from tests.support.clock import MONDAY
        recipe = WorkerConfig(Path({str(keys_dir)!r}), "example.org", Domains("", "", ""), None)
        pool = _pool(recipe, 1)
        pool.submit(opened, pack(Batch()), MONDAY).result()
        print(*pool._processes, flush=True)
        time.sleep(60)
        """
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    for _ in range(200):
        if not _lives(child):
            return
        time.sleep(0.05)
    pytest.fail("it lives on")


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
