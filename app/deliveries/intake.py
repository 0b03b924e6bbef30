"""What was claimed and is not ready yet: batches that are being opened.

Whatever goes wrong with a batch, each of its letters is in the report of the next turn.
"""

import asyncio

from app.clock import Clock
from app.deliveries.composing import Outgoing, outgoing
from app.deliveries.due import Claim
from app.deliveries.ledger import Ledger, Report, Turned
from app.deliveries.openers import Openers
from app.deliveries.opening import Failed
from app.deliveries.traffic import Traffic
from app.journal import journal

log = journal("deliveries")


class Intake:
    """Opens what turns bring, and puts on its way what may go."""

    def __init__(
        self, openers: Openers, ledger: Ledger, traffic: Traffic, report: Report, clock: Clock
    ) -> None:
        """What could not be opened is told in `report`."""
        self._openers = openers
        self._ledger = ledger
        self._traffic = traffic
        self._report = report
        self._clock = clock
        self._opening: set[asyncio.Task[None]] = set()
        self._letters = 0

    def __len__(self) -> int:
        """How many letters are being opened."""
        return self._letters

    def begin(self, turned: Turned, woken: frozenset[int]) -> None:
        """Have a turn's letters opened; `woken` ones waited before."""
        if not turned.claims:
            return
        self._letters += len(turned.claims)
        opening = asyncio.create_task(self._open(turned, woken))
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)

    async def end(self) -> None:
        """Wait until nothing is being opened."""
        await asyncio.gather(*self._opening)

    async def _open(self, turned: Turned, woken: frozenset[int]) -> None:
        letters: list[Outgoing] = []
        failed: list[tuple[Claim, Failed]] = []
        try:
            opened = await self._openers.open(turned.batch, self._clock.now())
            for claim, one, made in zip(turned.claims, turned.batch.unopened, opened, strict=True):
                if isinstance(made, Failed):
                    failed.append((claim, made))
                else:
                    letters.append(outgoing(turned.batch, one, made, claim, turned.checked_at))
            if turned.batch.never:
                failed += await asyncio.to_thread(self._ledger.suppressed, letters)
        except Exception:
            # Whatever it was, the letters are there still, and others must go on.
            log.exception("letters could not be opened")
            self._report.released += [claim.delivery_id for claim in turned.claims]
            return
        finally:
            self._letters -= len(turned.claims)
        self._report.failed += failed
        left_out = {claim.delivery_id for claim, _ in failed}
        for letter in letters:
            number = letter.claim.delivery_id
            if number not in left_out:
                self._traffic.enter(letter, woken=number in woken)
