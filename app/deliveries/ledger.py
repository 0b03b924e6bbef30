"""The engine's way to the database: each call one short transaction, made to run in a thread."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from app.clock import Clock
from app.database import Database
from app.deliveries.checking import Checker
from app.deliveries.claiming import Claim, claim
from app.deliveries.composing import Composer, Outgoing
from app.deliveries.kinds import REPEATED
from app.deliveries.recording import (
    Written,
    put_off,
    record,
    release,
    release_untouched,
    written,
)
from app.deliveries.sending import Done
from app.errors import Refusal
from app.journal import journal
from app.mail.replies import Concern, Outcome, Pace
from app.mailings.control import pause
from app.mailings.states import MoveNotAllowed
from app.operators.alerts import alert

log = journal("deliveries")

# A service letter that cannot be made is tried again so much later: somebody has to mend it.
UNFIT_WAITS = timedelta(minutes=15)


class Ledger:
    """What one sender reads and writes of the deliveries."""

    def __init__(
        self, database: Database, sender_id: int, checker: Checker, composer: Composer, clock: Clock
    ) -> None:
        """`sender_id` is the number that our claims carry."""
        self._database = database
        self._sender_id = sender_id
        self._checker = checker
        self._composer = composer
        self._clock = clock

    def claim(self, limit: int) -> list[Claim]:
        """Take on up to `limit` due letters."""
        with self._database.transaction() as session:
            return claim(session, self._sender_id, limit=limit, now=self._clock.now())

    def prepare(self, claims: Sequence[Claim]) -> list[Outgoing]:
        """Look at claims for the last time and compose what may go; the rest is recorded."""
        now, checked_at = self._clock.now(), self._clock.monotonic()
        with self._database.transaction() as session:
            ready = self._checker.check(session, self._sender_id, claims, now=now)
            outgoing, unfit = self._composer.compose(session, ready, now=now, checked_at=checked_at)
            by_mailing = [c.delivery_id for c in claims if c.mailing_id is not None]
            release(session, self._sender_id, unfit.keys() & by_mailing)
            put_off(session, self._sender_id, unfit.keys() - by_mailing, until=now + UNFIT_WAITS)
        if unfit:
            by_id = {claim.delivery_id: claim for claim in claims}
            self._stop_unfit({by_id[i].mailing_id: refused for i, refused in unfit.items()}, now)
        return outgoing

    def record(self, done: Sequence[Done]) -> None:
        """Write down what came of these letters, and what it means for their mailings."""
        now = self._clock.now()
        with self._database.transaction() as session:
            record(session, self._sender_id, [_written(each, now) for each in done])
        for mailing_id, said in _refused_mailings(done).items():
            self._stop(mailing_id, f"The relay refused the letter itself: {said}", now)

    def release(self, ids: Sequence[int]) -> None:
        """Give claims back."""
        with self._database.transaction() as session:
            release(session, self._sender_id, ids)

    def release_untouched(self) -> None:
        """Give back every claim of ours that was not looked at yet."""
        with self._database.transaction() as session:
            release_untouched(session, self._sender_id)

    def tell(self, key: str, text: str) -> None:
        """Tell the operators."""
        now = self._clock.now()
        with self._database.transaction() as session:
            alert(session, f"{key}-{now.date()}", text, now=now)

    def _stop_unfit(self, refused: dict[int | None, Refusal], now: datetime) -> None:
        for mailing_id, why in refused.items():
            log.error("a letter is unfit", mailing=mailing_id, why=str(why))
            if mailing_id is not None:
                self._stop(mailing_id, str(why), now)

    def _stop(self, mailing_id: int, why: str, now: datetime) -> None:
        with self._database.transaction() as session:
            try:
                pause(session, mailing_id)
            except MoveNotAllowed:
                return
            text = f"Mailing {mailing_id} is paused. {why}"
            alert(session, f"mailing-paused-{mailing_id}-{now.date()}", text, now=now)


def _written(done: Done, now: datetime) -> Written:
    claim_, reply = done.outgoing.ready.claim, done.answer.reply
    return written(
        claim_.delivery_id,
        claim_.attempts + 1,
        done.verdict,
        relay=done.relay,
        code=reply.code if reply else None,
        status=reply.enhanced if reply else None,
        repeat_doubt=claim_.kind in REPEATED,
        expires_at=claim_.expires_at,
        chance=random.random(),  # noqa: S311 (jitter)
        now=now,
    )


def _refused_mailings(done: Sequence[Done]) -> dict[int, str]:
    """Return the mailings that the relay refused as such, and its words."""
    return {
        each.outgoing.ready.claim.mailing_id: str(each.answer.reply)
        for each in done
        if each.outgoing.ready.claim.mailing_id is not None
        and each.verdict.concern is Concern.MAILING
        and each.verdict.outcome is Outcome.RETRY
        and each.verdict.pace is Pace.OPERATOR
    }
