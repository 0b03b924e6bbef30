"""The engine's way to the database: each call one short transaction, made to run in a thread."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.clock import Clock
from app.database import Database, Transaction
from app.deliveries.checking import Checker
from app.deliveries.claiming import Claim, claim
from app.deliveries.composing import Composer, Outgoing
from app.deliveries.kinds import REPEATED
from app.deliveries.pacing import Permit, free_line, give_back, reserve, take_line
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
from app.mail.relay import Relay
from app.mail.replies import Concern, Outcome
from app.mailings.control import pause
from app.mailings.states import MoveNotAllowed
from app.operators.alerts import alert

log = journal("deliveries")

# A service letter that cannot be made is tried again so much later: somebody has to mend it.
UNFIT_WAITS = timedelta(minutes=15)
# So many readers' letters refused for their content, with none taken in between, are no accident.
REFUSALS = 3


class Turned(NamedTuple):
    """What a turn gave: letters that may go, new claims, and permits by relay."""

    outgoing: list[Outgoing]
    claims: list[Claim]
    permits: dict[str, list[Permit]]


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
        self._refusals: dict[int, int] = {}  # of a mailing's content, in a row

    def turn(
        self,
        done: Sequence[Done],
        claims: Sequence[Claim],
        limit: int,
        paced: Mapping[Relay, int] | None = None,
        unused: Mapping[int, int] | None = None,
    ) -> Turned:
        """Record what came of letters, make `claims` ready, and take on `limit` more: one commit.

        `paced` says how many permits to reserve at relays that limit their letters, `unused` which
        to give back. Should it fail, all of it may be done again: recording changes only what is
        still claimed, and claims that were committed unseen go back by `release_untouched`.
        """
        now, checked_at = self._clock.now(), self._clock.monotonic()
        unfit: dict[int, Refusal] = {}
        outgoing: list[Outgoing] = []
        with self._database.transaction() as session:
            record(session, self._sender_id, [_written(each, now) for each in done])
            if claims:
                ready = self._checker.check(session, self._sender_id, claims, now=now)
                outgoing, unfit = self._composer.compose(
                    session, ready, now=now, checked_at=checked_at
                )
                self._put_back(session, claims, unfit, now)
            taken = claim(session, self._sender_id, limit=limit, now=now) if limit else []
            give_back(session, unused or {})
            permits = {
                relay.name: reserve(session, relay, wanted, now=now)
                for relay, wanted in (paced or {}).items()
            }
        self._stop_refused(done, now)
        if unfit:
            by_id = {claim.delivery_id: claim for claim in claims}
            self._stop_unfit({by_id[i].mailing_id: refused for i, refused in unfit.items()}, now)
        return Turned(outgoing, taken, permits)

    def take_line(self, relay: str, number: int, of: int) -> bool:
        """Take one of a relay's connections; False if another sender is to have it."""
        with self._database.transaction() as session:
            return take_line(session, relay, number, of, self._sender_id, now=self._clock.now())

    def free_line(self, relay: str, number: int) -> None:
        """Give a connection back."""
        with self._database.transaction() as session:
            free_line(session, relay, number, self._sender_id)

    def _put_back(
        self,
        session: Transaction,
        claims: Sequence[Claim],
        unfit: dict[int, Refusal],
        now: datetime,
    ) -> None:
        """Return what cannot be made: a mailing's letters wait for it, others for a while."""
        by_mailing = [c.delivery_id for c in claims if c.mailing_id is not None]
        release(session, self._sender_id, unfit.keys() & by_mailing)
        put_off(session, self._sender_id, unfit.keys() - by_mailing, until=now + UNFIT_WAITS)

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

    def _stop_refused(self, done: Sequence[Done], now: datetime) -> None:
        """Pause the mailings that the relay refuses, rather than their readers."""
        for each in done:
            mailing_id = each.outgoing.ready.claim.mailing_id
            if mailing_id is None:
                continue
            if each.verdict.outcome is Outcome.ACCEPTED:
                self._refusals.pop(mailing_id, None)
            elif each.verdict.concern is Concern.MAILING:
                certain = each.verdict.outcome is Outcome.RETRY
                self._refusals[mailing_id] = self._refusals.get(mailing_id, 0) + 1
                if certain or self._refusals[mailing_id] >= REFUSALS:
                    said = f"The relay refuses the letter itself: {each.answer.reply}"
                    self._stop(mailing_id, said, now)

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
