"""The engine's way to the database: each call one short transaction, made to run in a thread."""

import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select

from app.clock import Clock
from app.database import Database, Transaction
from app.deliveries.compose.composing import Composer, Outgoing
from app.deliveries.compose.personalisation import Batch, PersonalisationFailed
from app.deliveries.destinations.coordination import (
    ThrottleGrant,
    ThrottleRequest,
    ThrottleState,
    exchange,
    standings,
)
from app.deliveries.dispatch.connection_worker import AttemptResult
from app.deliveries.dispatch.known_sent import note_sent
from app.deliveries.dispatch.refusal_streak import LIMIT, Refusal, Streaks, weight
from app.deliveries.dispatch.relay_rate_limit import (
    Permit,
    acquire_connection,
    give_back,
    living_senders,
    release_connection,
    reserve,
)
from app.deliveries.dispatch.suppression_check import suppressed
from app.deliveries.ledger.claiming import claim, claimed_still, park, take_up
from app.deliveries.ledger.due import Claim, Due
from app.deliveries.ledger.eligibility import look
from app.deliveries.ledger.failed import take_back, take_back_since_taken
from app.deliveries.ledger.message_kinds import REPEATED, TEST
from app.deliveries.ledger.reasons import DAMAGED, SUPPRESSED, UNFIT
from app.deliveries.ledger.recording import (
    DeliveryUpdate,
    defer,
    end,
    record,
    release,
    release_unknown,
    written,
)
from app.deliveries.ledger.states import EXCLUDED
from app.log import get_logger
from app.mail.relay import Relay
from app.mail.replies import Outcome, Scope
from app.mailings.control import pause
from app.mailings.launch import find_mailing
from app.mailings.models import Mailing
from app.mailings.states import PAUSED, RUNNING, MoveNotAllowed
from app.operators.alerts import alert
from app.subscribers.key_match import list_opens
from app.subscribers.models import Subscriber
from app.subscribers.pending_removals import end_suppressed
from app.subscribers.quarantine import SUBSCRIBER, set_apart
from app.suppressions.lookup import anyone
from app.witness.keeping import Witness

log = get_logger("deliveries")

REFUSED_SO = (
    "What was refused so waits and is not held against any reader. Put the relay, its account or"
    " the issue right, then resume the mailing."
)
# A service message that cannot be made is tried again so much later: somebody has to mend it.
UNFIT_WAITS = timedelta(minutes=15)


@dataclass
class Report:
    """What a turn brings to the ledger: messages that were tried, could not be made, or go back.

    `parked` ones stay ours, and wait.
    """

    done: list[AttemptResult] = field(default_factory=list)
    failed: list[tuple[Claim, PersonalisationFailed]] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    parked: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.done or self.failed or self.released or self.parked)

    @property
    def ids(self) -> list[int]:
        """The deliveries that are not ours any more once this is written."""
        done = (each.outgoing.claim.delivery_id for each in self.done)
        failed = (claim.delivery_id for claim, _ in self.failed)
        return [*done, *failed, *self.released]

    def take(self) -> "Report":
        """Return all of it, and begin anew."""
        taken = replace(self)
        self.done, self.failed, self.released, self.parked = [], [], [], []
        return taken

    def put_back(self, earlier: "Report") -> None:
        """Take in what an earlier turn could not write."""
        self.done[:0] = earlier.done
        self.failed[:0] = earlier.failed
        self.released[:0] = earlier.released
        self.parked[:0] = earlier.parked


class Turned(NamedTuple):
    """What a turn gave: claims to open, which of those looked at again may go, and permits.

    `checked_at` is monotonic; `took` is how many messages were claimed.
    """

    batch: Batch
    claims: list[Claim]
    checked_at: float
    again: set[int]
    permits: dict[str, list[Permit]]
    took: int


class Exchanged(NamedTuple):
    """What the senders know of each other: of groups of domains, by their names, and how many.

    `over` are the mailings we asked for that run no more; `senders` counts us, too.
    """

    given: dict[str, ThrottleGrant]
    standings: dict[str, ThrottleState]
    over: set[int]
    senders: int


class LedgerClient:
    """What one sender reads and writes of the deliveries."""

    def __init__(
        self,
        database: Database,
        sender_id: int,
        composer: Composer,
        clock: Clock,
        witness: Witness | None = None,
    ) -> None:
        """`sender_id` is the number that our claims carry; `witness` notes what relays took."""
        self._witness = witness
        self._database = database
        self._sender_id = sender_id
        self._composer = composer
        self._clock = clock
        self._streaks = Streaks()
        self._refused_service: int = 0  # service messages in a row, for what may be our own fault

    def turn(
        self,
        report: Report,
        again: Collection[int],
        limit: int,
        woken: Collection[int] = (),
        paced: Mapping[Relay, int] | None = None,
        unused: Mapping[int, int] | None = None,
    ) -> Turned:
        """Write a report, look at claims once more, and take on `limit` more: one commit.

        `woken` are parked claims to be opened again. `paced` says how many permits to reserve at
        relays that limit their messages, `unused` which to give back. Should it fail, all of it may
        be done again: recording changes only what is still claimed, and claims that were committed
        unseen go back by `release_unknown`.
        """
        now, checked_at = self._clock.now(), self._clock.monotonic()
        # Before its messages are pending again: nobody may claim them meanwhile.
        self._stop_refused(report.done, now)
        full = self._streaks.full()
        refused = {i for row in full.values() for i in row.failed}
        with self._database.transaction() as session:
            self._write(session, report, now)
            take_back(session, refused, now=now)
            for mailing_id in [number for number, row in full.items() if not row.looked_back]:
                take_back_since_taken(session, mailing_id, now=now)
            if self._witness is not None:
                note_sent(session, self._witness.sent, _taken(report.done))
                if not self._witness.stands(session):  # an older copy was put back: it begins anew
                    limit, woken = 0, ()
            may_go = self._look(session, claimed_still(session, self._sender_id, again), now)
            taken = claim(session, self._sender_id, limit=limit, now=now)
            up = take_up(session, self._sender_id, woken, now=now) if woken else []
            wanted = self._look(session, [*up, *taken], now)
            never = bool(wanted) and anyone(session)
            batch, claims, unmade = self._composer.compose(session, wanted, never=never)
            unfit = [
                (one.claim, PersonalisationFailed(UNFIT, why=str(unmade[one.claim.delivery_id])))
                for one in wanted
                if one.claim.delivery_id in unmade
            ]
            self._write(session, Report(failed=unfit), now)
            give_back(session, unused or {})
            permits = {
                relay.name: reserve(session, relay, count, now=now)
                for relay, count in (paced or {}).items()
            }
        for row in full.values():
            row.failed -= refused
            row.looked_back = True
        self._streaks.resumed(each.claim.mailing_id for each in taken)
        self._stop_unfit([*report.failed, *unfit], now)
        kept = {one.claim.delivery_id for one in may_go}
        return Turned(batch, claims, checked_at, kept, permits, len(taken))

    def _write(self, session: Transaction, report: Report, now: datetime) -> None:
        record(session, self._sender_id, [_written(each, now) for each in report.done])
        if report.released:
            release(session, self._sender_id, report.released)
        park(session, self._sender_id, report.parked)
        self._write_failed(session, report.failed, now)

    def _write_failed(
        self,
        session: Transaction,
        failed: Sequence[tuple[Claim, PersonalisationFailed]],
        now: datetime,
    ) -> None:
        """What is unfit waits, a mailing's for its mailing, others for a while; the rest ends."""
        ended: dict[tuple[str, str], list[int]] = {}
        waiting: list[Claim] = []
        flawed = {}
        for one, failure in failed:
            if failure.reason == UNFIT and one.kind != TEST:
                waiting.append(one)
                continue
            ended.setdefault((EXCLUDED, failure.reason), []).append(one.delivery_id)
            if failure.reason == DAMAGED and failure.flaw and one.subscriber_id:
                flawed[one.subscriber_id] = failure.flaw
        end(session, self._sender_id, ended)
        if flawed:
            set_apart(session, SUBSCRIBER, flawed, now=now)
        suppressed = [one for one, each in failed if each.reason == SUPPRESSED]
        _end_readers(session, suppressed, now.date())
        if waiting:
            of_mailings = [c.delivery_id for c in waiting if c.mailing_id is not None]
            others = [c.delivery_id for c in waiting if c.mailing_id is None]
            release(session, self._sender_id, of_mailings)
            defer(session, self._sender_id, others, until=now + UNFIT_WAITS)

    def _look(self, session: Transaction, claims: Sequence[Due], now: datetime) -> list[Due]:
        """Return what may go; the rest is recorded."""
        looked = look(claims, alerts=self._composer.alerts, now=now)
        end(session, self._sender_id, looked.ended)
        if looked.released:
            release(session, self._sender_id, looked.released)
        return looked.wanted

    def suppressed(
        self, messages: Collection[Outgoing]
    ) -> list[tuple[Claim, PersonalisationFailed]]:
        """Return those whose address must not be written to, whoever asked for it."""
        if not any(each.never for each in messages):
            return []
        with self._database.reading() as session:
            found = suppressed(session, messages, today=self._clock.now().date())
        return [(each, PersonalisationFailed(SUPPRESSED)) for each in found]

    def keys_fit(self) -> bool:
        """Tell whether our keys open any of the list's rows."""
        with self._database.reading() as session:
            return list_opens(session, self._composer.keyring)

    def exchange(self, asks: Sequence[ThrottleRequest], parked: Collection[int]) -> Exchanged:
        """Tell what we heard of groups of domains, and learn what may go and how all stand.

        `parked` are the mailings whose messages are.
        """
        now = self._clock.now()
        open_ = self._database.transaction if asks else self._database.reading
        with open_() as session:
            given = {}
            if isinstance(session, Transaction) and asks:
                given = exchange(session, asks, self._sender_id, now=now)
            running = select(Mailing.id).where(Mailing.id.in_(parked), Mailing.state == RUNNING)
            over = set(parked) - set(session.scalars(running)) if parked else set()
            return Exchanged(given, standings(session), over, living_senders(session, now=now))

    def acquire_connection(self, relay: str, number: int, of: int) -> bool:
        """Take one of a relay's connections; False if another sender is to have it."""
        with self._database.transaction() as session:
            return acquire_connection(
                session, relay, number, of, self._sender_id, now=self._clock.now()
            )

    def release_connection(self, relay: str, number: int) -> None:
        """Give a connection back."""
        with self._database.transaction() as session:
            release_connection(session, relay, number, self._sender_id)

    def release_unknown(self, known: Collection[int]) -> None:
        """Give back every claim of ours but these."""
        with self._database.transaction() as session:
            release_unknown(session, self._sender_id, known)

    def tell(self, key: str, text: str) -> None:
        """Tell the operators."""
        now = self._clock.now()
        with self._database.transaction() as session:
            alert(session, f"{key}-{now.date()}", text, now=now)

    def _stop_refused(self, done: Sequence[AttemptResult], now: datetime) -> None:
        """Pause the mailings that the relay refuses, rather than fail their readers."""
        by_mailing: dict[int, list[Refusal]] = {}
        for each in done:
            mailing_id = each.outgoing.claim.mailing_id
            if mailing_id is None:
                self._count_service(each, now)
            else:
                by_mailing.setdefault(mailing_id, []).append(_refusal(each))
        for mailing_id, results in by_mailing.items():
            self._streaks.count(mailing_id, results)
        for mailing_id, row in self._streaks.full().items():
            if not row.stopped:
                why = f"The relay refuses its messages, and takes none: {row.said}"
                self._stop(mailing_id, f"{why} – {REFUSED_SO}", now)
                row.stopped = True

    def _count_service(self, done: AttemptResult, now: datetime) -> None:
        """Tell the operators if service messages are refused in a row: no mailing can tell it."""
        verdict = done.verdict
        if verdict.outcome is Outcome.ACCEPTED:
            self._refused_service = 0
        elif verdict.concern is not Scope.READER:
            self._refused_service += weight(_refusal(done))
            if self._refused_service >= LIMIT:
                self._refused_service = 0
                text = (
                    "The relay refuses the messages that people who sign up wait for:"
                    f" {done.answer.reply} – They are tried again until their links expire."
                )
                self.tell("service-messages-refused", text)

    def _stop_unfit(
        self, failed: Iterable[tuple[Claim, PersonalisationFailed]], now: datetime
    ) -> None:
        unfit = {one.mailing_id: each.why for one, each in failed if each.reason == UNFIT}
        for mailing_id, why in unfit.items():
            log.error("a message is unfit", mailing=mailing_id, why=why)
            if mailing_id is not None:
                self._stop(mailing_id, why, now)

    def _stop(self, mailing_id: int, why: str, now: datetime) -> None:
        with self._database.transaction() as session:
            try:
                if find_mailing(session, mailing_id, lock=True).state == PAUSED:
                    return
                pause(session, mailing_id)
            except MoveNotAllowed:
                return
            text = f"Mailing {mailing_id} is paused. {why}"
            alert(session, f"mailing-paused-{mailing_id}-{now:%Y-%m-%dT%H:%M:%S}", text, now=now)


def _refusal(done: AttemptResult) -> Refusal:
    claim_ = done.outgoing.claim
    answer = done.answer
    return Refusal(claim_.delivery_id, claim_.attempts, done.verdict, answer.stage, answer.reply)


def _end_readers(session: Transaction, claims: Sequence[Claim], today: date) -> None:
    """End readers who are found suppressed all the same."""
    if claims:
        ids = [one.subscriber_id for one in claims]
        links = session.scalars(select(Subscriber.link_id).where(Subscriber.id.in_(ids))).all()
        end_suppressed(session, links, today=today)


def _written(done: AttemptResult, now: datetime) -> DeliveryUpdate:
    claim_, reply = done.outgoing.claim, done.answer.reply
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


def _taken(done: Iterable[AttemptResult]) -> Iterator[tuple[int | None, bytes | None]]:
    """Return the mailing and the reader of each message that a relay took."""
    for each in done:
        if each.verdict.outcome is Outcome.ACCEPTED:
            claim_ = each.outgoing.claim
            yield claim_.mailing_id, claim_.subscriber_id
