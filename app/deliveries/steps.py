"""The sender's steps, in the order of the story: each in a short transaction, each re-runnable.

Every step takes finished rows of the one before it, so none needs to know that the other ran, and
none needs a special path after a crash.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import func, select

from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.deliveries.destinations.coordination import forget_groups
from app.deliveries.dispatch.attempt_journal import Attempt
from app.deliveries.dispatch.known_sent import settle_known
from app.deliveries.dispatch.relay_rate_limit import forget_grants
from app.deliveries.hourly_counts import publish_counts
from app.deliveries.ledger.completion import aggregate, anonymise, complete, forget_service_messages
from app.deliveries.ledger.enrolment import enrol, take_in_alerts, take_in_service_messages
from app.deliveries.ledger.models import Sender
from app.deliveries.ledger.test_requests import forget_tests, take_in_tests
from app.key_rotation.rotation import destroy_spare
from app.mailings.calendar import Schedule
from app.mailings.scheduler import launch_due
from app.newsletter import Newsletter
from app.operators.abuse_alerts import alert_of_abuse
from app.rate_limits.counter import forget_taken
from app.rate_limits.refusals import forget_refused
from app.settings import Settings
from app.subscribers.admission import admit
from app.subscribers.complaint_lifting import lift_confirmed
from app.subscribers.expiry import expire
from app.subscribers.integrity_scan import IntegrityScan
from app.subscribers.pending_removals import process
from app.subscribers.quarantine import forget as forget_set_apart
from app.subscribers.suppression import suppress_requested
from app.suppressions.suppressing import forget_ended
from app.witness.keeping import DatabaseRestored, Witness, forget_deleted, forget_events
from app.witness.restoring import Found, begin_epoch

T = TypeVar("T")


@dataclass(frozen=True)
class Steps:
    """What the steps need to know."""

    database: Database
    settings: Settings
    newsletter: Newsletter
    keyring: Keyring
    schedules: Mapping[str, Schedule | None]
    witness: Witness
    before_blank: Callable[[Transaction, Sequence[int], datetime], None]
    scrub: IntegrityScan = field(default_factory=IntegrityScan)

    def begin(self, attempts: Mapping[int, Attempt], now: datetime) -> Found:
        """Run what must be done before the first message goes; `attempts` are of earlier lives."""

        def settle(session: Transaction, restored: bool) -> Mapping[int, tuple[int, int]]:  # noqa: FBT001
            return settle_known(session, self.witness.sent, attempts if restored else None)

        return begin_epoch(self.database, self.witness, settle, now=now)

    def end(self, now: datetime) -> None:
        """Do what was accepted and must not be forgotten, and note it, at a clean stop."""
        self._suppress(now)
        with contextlib.suppress(DatabaseRestored):
            self.witness.keep_up(self.database, now=now)
            self._in_transaction(lambda session: self._forget_events(session, now))

    def often(self, now: datetime) -> int:
        """Run what readers and operators wait for; return how much was moved."""
        return sum(
            _all(
                partial(step, now)
                for step in (
                    self._suppress,
                    self._admit,
                    self._launch,
                    self._enrol,
                    self._take_in,
                    self._complete,
                    self._publish_counts,
                )
            )
        )

    def seldom(self, now: datetime) -> None:
        """Run what may wait some minutes: forgetting."""
        today, retention = now.date(), self.settings.delivery_retention
        in_transactions: tuple[Callable[[Transaction], object], ...] = (
            lambda session: expire(session, now=now),
            lambda session: self._forget_events(session, now),
            lambda session: forget_deleted(session, self.settings.keys_dir),
            lambda session: forget_set_apart(session, now=now),
            lambda session: forget_ended(session, today=today),
            lambda session: forget_service_messages(session, now=now),
            lambda session: forget_tests(session, now=now),
            lambda session: forget_grants(session, now=now),
            lambda session: forget_groups(session, now=now),
            lambda session: forget_taken(session, now=now),
            lambda session: forget_refused(session, today=today),
            lambda session: alert_of_abuse(session, now=now),
            lambda session: aggregate(session, retention, now=now),
        )
        steps: tuple[Callable[[], object], ...] = (
            partial(self._blank_all, now),
            *(partial(self._in_transaction, step) for step in in_transactions),
            partial(self.witness.sent.forget_old, retention, now=now),
            partial(self.scrub.look, self.database, self.keyring, now=now),
            partial(destroy_spare, self.database, self.settings.keys_dir, now=now),
        )
        _all(steps)

    def _forget_events(self, session: Transaction, now: datetime) -> None:
        alone = (session.scalar(select(func.count()).select_from(Sender)) or 0) <= 1
        forget_events(session, self.witness.remembered.position if alone else None, now=now)

    def _blank_all(self, now: datetime) -> None:
        def step(session: Transaction) -> int:
            return anonymise(session, lambda s, ids: self.before_blank(s, ids, now), now=now)

        while self._in_transaction(step):
            pass

    def _in_transaction(self, step: Callable[[Transaction], T]) -> T:
        with self.database.transaction() as session:
            return step(session)

    def _suppress(self, now: datetime) -> int:
        """Before admission: what waits in the inbox must not be asked to confirm."""
        buried = self._in_transaction(lambda s: process(s, self.keyring, today=now.date()))
        buried += self._in_transaction(lambda session: lift_confirmed(session, self.keyring))
        return buried + self._in_transaction(
            lambda session: suppress_requested(session, self.keyring, today=now.date())
        )

    def _admit(self, now: datetime) -> int:
        rates = self.settings.rate_limit_address
        return self._in_transaction(
            lambda session: admit(session, self.keyring, rates=rates, now=now)
        )

    def _launch(self, now: datetime) -> int:
        def step(session: Transaction) -> int:
            return launch_due(
                session,
                self.newsletter,
                self.schedules,
                grace=self.settings.schedule_grace,
                over=self.settings.send_window,
                now=now,
            )

        launched = self._in_transaction(step)
        # Noted once it is true, and before a message of it can go.
        with contextlib.suppress(DatabaseRestored):  # then nothing is claimed, and all begins anew
            self.witness.keep_up(self.database, now=now)
        return launched

    def _enrol(self, now: datetime) -> int:
        life = self.settings.retry_for

        def step(session: Transaction) -> int:
            enrolled = enrol(session, life=life, now=now)
            if enrolled:  # of a mailing that a restored database did not know to have gone
                session.flush()
                settle_known(session, self.witness.sent)
            return enrolled

        return self._in_transaction(step)

    def _take_in(self, now: datetime) -> int:
        def step(session: Transaction) -> int:
            asked = take_in_service_messages(session, now=now) + take_in_tests(session, now=now)
            return asked + (take_in_alerts(session, now=now) if self.settings.alerts_to else 0)

        return self._in_transaction(step)

    def _publish_counts(self, now: datetime) -> int:
        publish_counts(self.database, self.newsletter, now=now)
        return 0  # nobody waits for it, so nothing more is to be done at once

    def _complete(self, now: datetime) -> int:
        return self._in_transaction(lambda session: complete(session, now=now))


def _all(steps: Iterable[Callable[[], T]]) -> list[T]:
    """Run every step; one that fails does not keep the others from their work.

    Raises an ExceptionGroup of what failed.
    """
    done, errors = [], []
    for step in steps:
        try:
            done.append(step())
        except Exception as error:  # noqa: BLE001 (all are raised below)
            errors.append(error)
    if errors:
        raise ExceptionGroup("steps failed", errors)
    return done
