"""Figures for a monitor, counted in the database when asked for. No figure is a person."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.deliveries.destinations.coordination import standings
from app.deliveries.ledger.models import Delivery, Sender
from app.deliveries.ledger.progress import balances, pace, unbalanced
from app.deliveries.ledger.states import CLAIMED, DEFERRED, PENDING, UNCERTAIN
from app.mailings.models import Mailing
from app.mailings.states import ON_THEIR_WAY
from app.operators.api_keys import Operator
from app.operators.auth import needs
from app.operators.models import Alert
from app.outcomes.statistics import totals
from app.rate_limits.refusals import refused_since
from app.subscribers.models import SignUp, Subscription
from app.subscribers.quarantine import counts
from app.suppressions.lookup import counts as suppressed
from app.web.context import Now, Reading

router = APIRouter(tags=["operators"])

_WAITING = (PENDING, CLAIMED, DEFERRED, UNCERTAIN)
Monitors = Annotated[Operator, Depends(needs("metrics:read"))]


class Figures(Collector):
    """Counts as gauges; each is one query."""

    def __init__(self, session: Session, now: datetime) -> None:
        """Count in this session, as of `now`."""
        self._session = session
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Yield every figure."""
        yield self._by(
            "vestka_subscriptions",
            "Subscriptions by segment and state",
            ("segment", "state"),
            select(Subscription.segment, Subscription.state, func.count()).group_by(
                Subscription.segment, Subscription.state
            ),
        )
        yield self._by(
            "vestka_messages_waiting",
            "Messages that are not settled, by kind and state",
            ("kind", "state"),
            select(Delivery.kind, Delivery.state, func.count())
            .where(Delivery.state.in_(_WAITING))
            .group_by(Delivery.kind, Delivery.state),
        )
        yield self._by(
            "vestka_mailings",
            "Mailings by state",
            ("state",),
            select(Mailing.state, func.count()).group_by(Mailing.state),
        )
        yield self._one("vestka_sign_ups_waiting", "Sign-ups in the inbox", self._count(SignUp))
        senders = select(func.count()).select_from(Sender).where(Sender.lease_until > self._now)
        yield self._one("vestka_senders", "Senders at work", self._session.scalar(senders))
        yield self._one("vestka_alerts", "Alerts kept", self._count(Alert))
        yield self._returned()
        yield self._suppressed()
        yield self._domains()
        yield self._refused()
        yield self._set_apart()
        yield from self._progress()
        wrong = len(unbalanced(self._session))
        yield self._one("vestka_unbalanced_mailings", "Mailings whose books do not balance", wrong)

    def _progress(self) -> Iterator[Metric]:
        """Tell of each mailing on its way what `vestka mailing watch` shows."""
        labels = ("mailing", "week", "segment")
        messages = GaugeMetricFamily(
            "vestka_mailing_messages",
            "Letters of the mailings on their way, by state",
            labels=(*labels, "state"),
        )
        rates = GaugeMetricFamily(
            "vestka_mailing_rate", "Messages a second since the launch", labels=labels
        )
        left = GaugeMetricFamily(
            "vestka_mailing_seconds_left", "Time left at that rate", labels=labels
        )
        query = select(Mailing).where(Mailing.state.in_(ON_THEIR_WAY))
        mailings = self._session.scalars(query).all()
        all_books = balances(self._session, mailings)
        for mailing in mailings:
            whose = (str(mailing.id), mailing.week, mailing.segment)
            books = all_books[mailing.id]
            for state, count in books.states.items():
                messages.add_metric((*whose, state), float(count))
            rate, seconds = pace(books, mailing, self._now)
            if rate is not None:
                rates.add_metric(whose, rate)
            if seconds is not None:
                left.add_metric(whose, float(seconds))
        yield from (messages, rates, left)

    def _returned(self) -> Metric:
        about = "Messages that came back, by segment and class; no segment: it proved nothing"
        family = CounterMetricFamily("vestka_returned", about, labels=("segment", "class"))
        for segment, outcome, number in totals(self._session):
            family.add_metric((segment, outcome), number)
        return family

    def _suppressed(self) -> Metric:
        family = GaugeMetricFamily(
            "vestka_suppressed", "Suppressions by reason", labels=("reason",)
        )
        for reason, number in suppressed(self._session, today=self._now.date()).items():
            family.add_metric((reason,), number)
        return family

    def _domains(self) -> Metric:
        """Count without a name: the process that answers has not the secret of their names."""
        about = "Groups of receiving domains that are not written to at full speed"
        family = GaugeMetricFamily("vestka_domains", about, labels=("standing",))
        found = standings(self._session).values()
        blocked = sum(standing.block is not None for standing in found)
        family.add_metric(("slowed",), float(len(found) - blocked))
        family.add_metric(("blocked",), float(blocked))
        return family

    def _refused(self) -> Metric:
        about = "Sign-ups refused and messages withheld since midnight (UTC), by reason"
        family = GaugeMetricFamily("vestka_refused_today", about, labels=("reason",))
        for reason, times in refused_since(self._session, self._now.date()).items():
            family.add_metric((reason,), float(times))
        return family

    def _set_apart(self) -> Metric:
        about = "Rows set apart because they were changed, planted or put back, by kind and flaw"
        family = GaugeMetricFamily("vestka_quarantined", about, labels=("kind", "flaw"))
        for labels, count in counts(self._session).items():
            family.add_metric(labels, float(count))
        return family

    def _count(self, table: type[SignUp] | type[Alert]) -> int | None:
        return self._session.scalar(select(func.count()).select_from(table))

    def _one(self, name: str, about: str, value: int | None) -> Metric:
        return GaugeMetricFamily(name, about, value=float(value or 0))

    def _by(self, name: str, about: str, labels: tuple[str, ...], query: object) -> Metric:
        family = GaugeMetricFamily(name, about, labels=labels)
        for *values, count in self._session.execute(query):  # type: ignore[call-overload]
            family.add_metric(values, float(count))
        return family


def figures(session: Session, now: datetime) -> bytes:
    """Return all figures in the Prometheus text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(session, now))
    return generate_latest(registry)


@router.get("/metrics", response_class=Response)
def get_metrics(session: Reading, now: Now, _operator: Monitors) -> Response:
    """Return the figures in the Prometheus text format."""
    return Response(figures(session, now), media_type=CONTENT_TYPE_LATEST)
