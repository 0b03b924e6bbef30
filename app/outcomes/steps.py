"""The sender's steps for what came back: watch the shares, collect, forget."""

from collections.abc import Sequence
from datetime import datetime

from app.addresses.keyring import Keyring
from app.clock import Clock
from app.database import Database, Transaction
from app.newsletter import Newsletter
from app.outcomes.auto_pause import AutoPause
from app.outcomes.bounce_history import forget_marks
from app.outcomes.counting import forget_sayings
from app.outcomes.ingest import Ingest, taker_of
from app.outcomes.mailbox_poller import Source, collect, sources_of
from app.outcomes.smtp_rejections import SmtpRejections
from app.settings import Settings

COLLECT_EVERY = 30.0  # seconds


class OutcomeSteps:
    """What a sender does about what came back."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        newsletter: Newsletter,
        keyring: Keyring,
        clock: Clock,
    ) -> None:
        """Read the settings; nothing is collected yet."""
        taker = taker_of(settings, newsletter, keyring.links)
        self._database = database
        self._retention = settings.delivery_retention
        self._watch = AutoPause(settings.auto_pause)
        self._refusals = SmtpRejections(taker, keyring)
        self._intake = Ingest(database, clock, taker, settings.feedback_loops)
        self._sources: tuple[Source, ...] = sources_of(settings)

    def often(self, now: datetime) -> None:
        """Pause what has to be paused."""
        with self._database.transaction() as session:
            self._watch.look(session, now=now)

    def seldom(self, now: datetime) -> None:
        """Forget what nothing can follow from any more."""
        with self._database.transaction() as session:
            forget_marks(session, today=now.date())
            forget_sayings(session, self._retention, today=now.date())

    def collect(self, _now: datetime) -> None:
        """Empty the mailboxes."""
        for source in self._sources:
            collect(source, self._intake)

    def refused(self, session: Transaction, ids: Sequence[int], now: datetime) -> None:
        """Take the refused ones of ledger rows that are about to forget their readers."""
        self._refusals.take(session, ids, now=now)
