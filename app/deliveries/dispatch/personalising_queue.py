"""What was claimed and is not ready yet: batches that are being opened.

Whatever goes wrong with a batch, each of its messages is in the report of the next turn.
"""

import asyncio

from app.clock import Clock
from app.deliveries.compose.composing import Outgoing, outgoing
from app.deliveries.compose.personalisation import PersonalisationFailed
from app.deliveries.compose.worker_pool import WorkerPool
from app.deliveries.dispatch.dispatcher import Dispatcher
from app.deliveries.dispatch.exchange import LedgerClient, Report, Turned
from app.deliveries.dispatch.unreadable import hold_unreadable, is_unreadable
from app.deliveries.ledger.due import Claim
from app.log import get_logger

log = get_logger("deliveries")


class PersonalisingQueue:
    """Opens what turns bring, and puts on its way what may go."""

    def __init__(
        self,
        openers: WorkerPool,
        ledger: LedgerClient,
        traffic: Dispatcher,
        report: Report,
        clock: Clock,
    ) -> None:
        """What could not be opened is told in `report`."""
        self._openers = openers
        self._ledger = ledger
        self._traffic = traffic
        self._report = report
        self._clock = clock
        self._opening: set[asyncio.Task[None]] = set()
        self._messages = 0

    def __len__(self) -> int:
        """How many messages are being opened."""
        return self._messages

    def begin(self, turned: Turned, woken: frozenset[int]) -> None:
        """Have a turn's messages opened; `woken` ones waited before."""
        if not turned.claims:
            return
        self._messages += len(turned.claims)
        opening = asyncio.create_task(self._open(turned, woken))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)

    async def end(self) -> None:
        """Wait until nothing is being opened."""
        await asyncio.gather(*self._opening)

    async def _open(self, turned: Turned, woken: frozenset[int]) -> None:
        messages: list[Outgoing] = []
        failed: list[tuple[Claim, PersonalisationFailed]] = []
        try:
            opened = await self._openers.open(turned.batch, self._clock.now())
            if any(map(is_unreadable, opened)):
                keys_fit = self._ledger.keys_fit
                opened = await asyncio.to_thread(hold_unreadable, opened, keys_fit)
            for claim, one, made in zip(turned.claims, turned.batch.unopened, opened, strict=True):
                if isinstance(made, PersonalisationFailed):
                    failed.append((claim, made))
                else:
                    messages.append(outgoing(turned.batch, one, made, claim, turned.checked_at))
            if turned.batch.never:
                failed += await asyncio.to_thread(self._ledger.suppressed, messages)
        except Exception:
            # Whatever it was, the messages are there still, and others must go on.
            log.exception("messages could not be opened")
            self._report.released += [claim.delivery_id for claim in turned.claims]
            return
        finally:
            self._messages -= len(turned.claims)
        self._report.failed += failed
        left_out = {claim.delivery_id for claim, _ in failed}
        for message in messages:
            number = message.claim.delivery_id
            if number not in left_out:
                self._traffic.enter(message, woken=number in woken)
