"""The one way in for what came back, wherever it was collected: read, then taken in.

Reading is bounded and touches nothing; taking in is one short transaction.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from app.clock import Clock
from app.database import Database
from app.log import get_logger
from app.mail.classification import Class
from app.mail.dns import Dns
from app.mail.reports import Report, read_report
from app.mail.reports.parts import LARGEST
from app.newsletter import Newsletter
from app.outcomes.attribution import TokenReader
from app.outcomes.feedback_loops import Texts, is_from_feedback_loop
from app.outcomes.processing import Processed, Processor
from app.settings import Settings
from app.tokens import LinkTokens

log = get_logger("outcomes")


def taker_of(settings: Settings, newsletter: Newsletter, links: LinkTokens) -> Processor:
    """Make the taker of an installation. It needs the link key and no other."""
    signs = TokenReader(links, settings.return_path_domain, settings.list_domain, newsletter)
    return Processor(signs, settings.bounce_policy)


def texts_by_dns(name: str) -> list[str]:
    """Look up the TXT records of a name, by this machine's resolver. Raises DnsSilent."""
    return Dns().texts(name)


@dataclass(frozen=True, slots=True)
class Ingest:
    """Takes in messages and reports, each in a transaction of its own."""

    database: Database
    clock: Clock
    taker: Processor
    feedback_loops: Collection[str] = ()
    texts: Texts = texts_by_dns

    def message(self, raw: bytes, recipients: Iterable[str] = ()) -> Processed:
        """Read a message and take it in; `recipients` are whom it was delivered to, if known."""
        report = read_report(raw[:LARGEST])
        paths = (*recipients, *report.return_paths)
        by_provider = report.class_ is Class.COMPLAINT and is_from_feedback_loop(
            raw[:LARGEST], self.feedback_loops, self.taker.signs.own_domains, self.texts
        )
        return self.report(replace(report, return_paths=paths), authenticated=by_provider)

    def report(self, report: Report, *, authenticated: bool) -> Processed:
        """Take in what was read elsewhere; `authenticated` tells whether its source is."""
        with self.database.transaction() as session:
            taken = self.taker.take(
                session, report, now=self.clock.now(), authenticated=authenticated
            )
        log.info(
            "came back",
            outcome=str(taken.class_),
            reason=taken.reason,
            became=taken.became,
            ended=taken.ended,
        )
        return taken
