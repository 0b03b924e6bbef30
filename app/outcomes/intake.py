"""The one way in for what came back, wherever it was collected: read, then taken in.

Reading is bounded and touches nothing; taking in is one short transaction.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from app.clock import Clock
from app.database import Database
from app.journal import journal
from app.mail.reports import Report, read_report
from app.mail.reports.parts import LARGEST
from app.newsletter import Newsletter
from app.outcomes.belonging import Signs
from app.outcomes.taking import Taken, Taker
from app.settings import Settings
from app.tokens import LinkTokens

log = journal("outcomes")


def taker_of(settings: Settings, newsletter: Newsletter, links: LinkTokens) -> Taker:
    """Make the taker of an installation. It needs the link key and no other."""
    signs = Signs(links, settings.return_path_domain, settings.list_domain, newsletter)
    return Taker(signs, settings.consequences)


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes in messages and reports, each in a transaction of its own."""

    database: Database
    clock: Clock
    taker: Taker

    def message(self, raw: bytes, recipients: Iterable[str] = ()) -> Taken:
        """Read a message and take it in; `recipients` are whom it was delivered to, if known."""
        report = read_report(raw[:LARGEST])
        paths = (*recipients, *report.return_paths)
        return self.report(replace(report, return_paths=paths))

    def report(self, report: Report) -> Taken:
        """Take in what was read elsewhere."""
        with self.database.transaction() as session:
            taken = self.taker.take(session, report, now=self.clock.now())
        log.info(
            "came back",
            outcome=str(taken.class_),
            reason=taken.reason,
            became=taken.became,
            ended=taken.ended,
        )
        return taken
