"""The sender: the one process that holds the private keys. It admits, launches, sends, records.

One sender per data directory; any number of them may share a PostgreSQL database.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.exc import OperationalError

from app.addresses.keyring import Keyring
from app.clock import BACKWARDS, Clock, StepWatch
from app.database import Database, Transaction
from app.deliveries.compose.composing import Composer
from app.deliveries.compose.message_headers import SenderIdentity
from app.deliveries.compose.personalisation import Domains, Personaliser
from app.deliveries.compose.worker import WorkerConfig
from app.deliveries.compose.worker_pool import WorkerPool
from app.deliveries.destinations.limits import DestinationLimits
from app.deliveries.dispatch.attempt_journal import AttemptJournal, Journals, latest_attempts
from app.deliveries.dispatch.engine import Engine
from app.deliveries.dispatch.exchange import LedgerClient
from app.deliveries.dispatch.from_settings import dkim_keys_of, group_limits_of, relays_of
from app.deliveries.dispatch.known_sent import settle_known
from app.deliveries.dispatch.recovery import recover
from app.deliveries.dispatch.relay_health import RelayState
from app.deliveries.ledger.leases import (
    LEASE,
    RENEW_EVERY,
    PeerWatch,
    latest_lease,
    leases_of_others,
    register,
    renew,
)
from app.deliveries.steps import Steps
from app.gc_tuning import collect_seldom
from app.log import get_logger
from app.mail.relay import Relay
from app.mailings.calendar import Schedule, parse_schedule
from app.newsletter import Newsletter
from app.operators.alerts import alert
from app.outcomes.steps import COLLECT_EVERY, OutcomeSteps
from app.periodic_task import PeriodicTask
from app.settings import Settings, SettingWrong, naming
from app.witness.keeping import DatabaseRestored, Witness

log = get_logger("sender")

STEP_EVERY = 0.5
FORGET_EVERY = 300.0
KEYS_EVERY = 30.0


class Sender:
    """A sender with all its parts; made by `prepare`, run once."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        newsletter: Newsletter,
        keyring: Keyring,
        clock: Clock,
        journals: Journals,
    ) -> None:
        """Read the settings that only a sender needs; nothing runs yet."""
        self._database = database
        self._clock = clock
        self._journals = journals
        self._peers, self._steps_back = PeerWatch(), StepWatch()
        schedules, relays = _read(settings, newsletter)
        self._relays = [RelayState(relay, place) for place, relay in enumerate(relays)]
        self._witness = Witness(settings.keys_dir, keyring.sent_notes)
        self._restored = False
        self._outcomes = OutcomeSteps(database, settings, newsletter, keyring, clock)
        self._steps = Steps(
            *(database, settings, newsletter, keyring, schedules, self._witness),
            self._outcomes.refused,
        )
        self._settings = settings
        self._composer = Composer(
            SenderIdentity.of(settings, newsletter), keyring, settings.alerts_to
        )
        self._openers = _openers(settings, keyring)
        self._connections = settings.relay_connections
        self._limits = group_limits_of(settings, keyring)
        self._hostname = settings.list_domain
        self._stop_within = settings.stop_within.total_seconds()

    async def run(self, stop: asyncio.Event) -> None:
        """Recover what an earlier life left, then work until `stop` is set."""
        collect_seldom()
        sender_id = await asyncio.to_thread(self._begin)
        attempts = AttemptJournal(
            self._journals.folder, sender_id, [state.relay.name for state in self._relays]
        )
        ledger = LedgerClient(self._database, sender_id, self._composer, self._clock, self._witness)
        engine = Engine(
            ledger,
            self._openers,
            self._relays,
            attempts,
            self._clock,
            hostname=self._hostname,
            connections=self._connections,
            limits=self._limits,
        )
        log.info("sender started", sender=sender_id, relays=[r.relay.name for r in self._relays])
        housekeeping = [
            asyncio.create_task(each.run(stop)) for each in self._chores(sender_id, stop)
        ]
        try:
            await engine.run(stop, self._stop_within)
        finally:
            stop.set()
            await self._end_tasks(housekeeping)
            attempts.close()
            await asyncio.to_thread(self._end)
            log.info("sender stopped", sender=sender_id)

    async def _end_tasks(self, tasks: list[asyncio.Task[None]]) -> None:
        """Wait for what is begun, but not for a mailbox or a name server that hangs."""
        _, hanging = await asyncio.wait(tasks, timeout=self._stop_within * 0.1)
        for task in hanging:
            task.cancel()

    def _chores(self, sender_id: int, stop: asyncio.Event) -> list[PeriodicTask]:
        end = partial(asyncio.get_running_loop().call_soon_threadsafe, stop.set)
        acts: Mapping[str, tuple[Callable[[datetime], object], float]] = {
            "often": (self._steps.often, STEP_EVERY),
            "witness": (partial(self._keep_witness, end), STEP_EVERY),
            "seldom": (self._steps.seldom, FORGET_EVERY),
            "keys": (self._look_at_keys, KEYS_EVERY),
            "outcomes, often": (self._outcomes.often, STEP_EVERY),
            "outcomes, seldom": (self._outcomes.seldom, FORGET_EVERY),
            "collect": (self._outcomes.collect, COLLECT_EVERY),
            "lease": (partial(self._renew, sender_id), RENEW_EVERY),
        }
        return [
            PeriodicTask(name, act, seconds, self._database, self._clock)
            for name, (act, seconds) in acts.items()
        ]

    def _keep_witness(self, end: Callable[[], object], now: datetime) -> None:
        """Note what is new; should the database be an older copy of itself, end and begin anew."""
        if self._restored:
            return
        try:
            self._witness.keep_up(self._database, now=now)
        except DatabaseRestored:
            log.warning("the database was put back from a backup; the sender begins anew")
            self._restored = True
            end()

    def _look_at_keys(self, _now: datetime) -> None:
        """Sign with the DKIM keys that are there now; with those in use, if they are unreadable."""
        try:
            keys = dkim_keys_of(self._settings)
        except SettingWrong as refused:
            log.warning("the DKIM keys cannot be read", why=str(refused))
            return
        if self._openers.sign_with(keys):
            log.info("DKIM keys changed", selectors=[key.selector for key in keys])

    def _begin(self) -> int:
        """Free what this data directory's earlier lives held, then take a number of our own."""
        now = self._clock.now()
        with self._database.transaction() as session:
            latest = latest_lease(session)
            if latest is not None and latest - LEASE - now > BACKWARDS:
                self._tell_of_step(session, latest - LEASE - now)
            done = recover(session, self._journals, None, now=now)
        if done.released or done.settled or done.uncertain:
            log.warning(
                "recovered", released=done.released, settled=done.settled, uncertain=done.uncertain
            )
        self._steps.begin(latest_attempts(self._journals.folder), now)
        self._journals.forget()
        with self._database.transaction() as session:
            return register(session, self._journals.identity, str(self._journals.folder), now=now)

    def _renew(self, sender_id: int, now: datetime) -> None:
        """Prolong our lease, and free what senders held that no longer renew theirs."""
        identity, folder = self._journals.identity, str(self._journals.folder)
        self._clock.refresh()
        with self._database.transaction() as session:
            self._tell_of_step(session, self._steps_back.look(now, self._clock.monotonic()))
            if not renew(session, sender_id, identity, folder, now=now):
                log.warning("the lease had run out", sender=sender_id)
            others = leases_of_others(session, sender_id)
        silent = self._peers.look(others, self._clock.monotonic())
        if silent:
            with self._database.transaction() as session:
                freed = recover(session, self._journals, sender_id, now=now, silent=silent)
                if freed.released or freed.uncertain:
                    settle_known(session, self._witness.sent)

    def _tell_of_step(self, session: Transaction, back: timedelta) -> None:
        """Tell operators that the clock went back: what is due in between waits."""
        if not back:
            return
        seconds = round(back.total_seconds())
        log.error("the clock went back", seconds=seconds)
        text = (
            f"The clock that the sender goes by went back by {seconds} seconds: the database's, or"
            " with SQLite this host's. Retries and mailings that were due meanwhile wait that much"
            " longer. Set the clock right and keep it so (NTP)."
        )
        now = self._clock.now()
        alert(session, f"clock-back-{now.date()}", text, now=now)

    def _end(self) -> None:
        """Give back whatever is still ours; then the journal has told all it knows.

        Of a database that was put back, the next life learns it from the journal.
        """
        try:
            if not self._restored:
                with self._database.transaction() as session:
                    recover(session, self._journals, None, now=self._clock.now())
                self._journals.forget()
                self._steps.end(self._clock.now())
        except OperationalError:
            log.warning("the database does not answer; the next start settles what is left")
        finally:
            self._witness.sent.close()
            self._journals.close()


def _openers(settings: Settings, keyring: Keyring) -> WorkerPool:
    """Read the DKIM keys; many messages are opened and signed in processes of their own."""
    recipients = settings.allowed_recipients
    recipe = WorkerConfig(
        settings.keys_dir.resolve(),
        settings.dkim_domain,
        Domains(settings.from_address.address, settings.list_domain, settings.return_path_domain),
        None if recipients.everyone else recipients.only,
    )
    dkim = dkim_keys_of(settings)
    return WorkerPool(Personaliser(keyring, recipe.domains, recipe.allowed, dkim), recipe)


def _read(
    settings: Settings, newsletter: Newsletter
) -> tuple[Mapping[str, Schedule | None], list[Relay]]:
    with naming("VESTKA_SCHEDULE"):
        schedules = parse_schedule(settings.schedule, newsletter)
    with naming("VESTKA_DOMAIN_LIMITS"):
        DestinationLimits.parse(settings.domain_limits, b"")
    return schedules, relays_of(settings, newsletter)


def check(settings: Settings, newsletter: Newsletter) -> None:
    """Read what only a sender can read, before anything is made. Raises SettingWrong."""
    _read(settings, newsletter)


def prepare(
    settings: Settings, database: Database, newsletter: Newsletter, keyring: Keyring, clock: Clock
) -> Sender:
    """Lock the data directory and make its sender. Raises SenderRunsAlready, SettingWrong."""
    journals = Journals(settings.data_dir.resolve() / "attempts")
    return Sender(settings, database, newsletter, keyring, clock, journals)
