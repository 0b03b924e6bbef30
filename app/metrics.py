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
from app.deliveries.hourly_counts import PERSONAL
from app.deliveries.ledger.models import Delivery, Sender
from app.deliveries.ledger.progress import balances, pace, unbalanced
from app.deliveries.ledger.states import CLAIMED, DEFERRED, PENDING, UNCERTAIN
from app.mailings.models import Mailing
from app.mailings.states import ON_THEIR_WAY
from app.operators.api_keys import Operator
from app.operators.auth import needs
from app.operators.models import Alert
from app.operators.published_counts import published
from app.outcomes.statistics import totals
from app.rate_limits.refusals import ADDRESS, refused_since
from app.subscribers.models import CONFIRMED
from app.subscribers.models import PENDING as PENDING_SUBSCRIPTION
from app.subscribers.quarantine import counts
from app.suppressions.reasons import REASONS
from app.web.context import Now, Reading

router = APIRouter(tags=["operators"])

_HOURLY = " (rounded to five, 0 below twenty, as of the hour)"
_WAITING = (PENDING, CLAIMED, DEFERRED, UNCERTAIN)
Monitors = Annotated[Operator, Depends(needs("metrics:read"))]


class Figures(Collector):
    """Counts as gauges; each is one query."""

    def __init__(self, session: Session, now: datetime) -> None:
        """Count in this session, as of `now`."""
        self._session = session
        self._now = now
        self._published = published(session)

    def collect(self) -> Iterator[Metric]:
        """Yield every figure."""
        yield self._subscriptions()
        yield self._messages_waiting()
        yield self._by(
            "vestka_mailings",
            "Mailings by state",
            ("state",),
            select(Mailing.state, func.count()).group_by(Mailing.state),
        )
        sign_ups = self._published.get("sign_ups", 0)
        yield self._one("vestka_sign_ups_waiting", f"Sign-ups in the inbox{_HOURLY}", sign_ups)
        senders = select(func.count()).select_from(Sender).where(Sender.lease_until > self._now)
        yield self._one("vestka_senders", "Senders at work", self._session.scalar(senders))
        yield self._one("vestka_alerts", "Alerts kept", self._count_alerts())
        yield self._returned()
        yield self._suppressed()
        yield self._domains()
        yield self._refused()
        yield self._set_apart()
        yield from self._progress()
        wrong = len(unbalanced(self._session))
        yield self._one("vestka_unbalanced_mailings", "Mailings whose books do not balance", wrong)

    def _subscriptions(self) -> Metric:
        about = f"Subscriptions by segment and state{_HOURLY}"
        family = GaugeMetricFamily("vestka_subscriptions", about, labels=("segment", "state"))
        for segment, counted in self._published.get("segments", {}).items():
            for state in (CONFIRMED, PENDING_SUBSCRIPTION):
                family.add_metric((segment, state), float(counted[state]))
        return family

    def _messages_waiting(self) -> Metric:
        """Count those of mailings, alerts and tests now; what readers asked for, hourly."""
        about = f"Messages that are not settled, by kind and state; what readers asked for{_HOURLY}"
        family = GaugeMetricFamily("vestka_messages_waiting", about, labels=("kind", "state"))
        rows = self._session.execute(
            select(Delivery.kind, Delivery.state, func.count())
            .where(Delivery.state.in_(_WAITING), Delivery.kind.not_in(PERSONAL))
            .group_by(Delivery.kind, Delivery.state)
        )
        for kind, state, count in rows:
            family.add_metric((kind, state), float(count))
        for kind, states in self._published.get("messages", {}).items():
            for state in sorted(set(states) & set(_WAITING)):
                family.add_metric((kind, state), float(states[state]))
        return family

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
        about = f"Suppressions by reason{_HOURLY}"
        family = GaugeMetricFamily("vestka_suppressed", about, labels=("reason",))
        counted = self._published.get("suppressed", {})
        for reason in REASONS:
            family.add_metric((reason,), float(counted.get(reason, 0)))
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
            # What was withheld from one address is one person's: rounded, and hourly.
            shown = self._published.get("withheld", 0) if reason == ADDRESS else times
            family.add_metric((reason,), float(shown))
        return family

    def _set_apart(self) -> Metric:
        about = "Rows set apart because they were changed, planted or put back, by kind and flaw"
        family = GaugeMetricFamily("vestka_quarantined", about, labels=("kind", "flaw"))
        for labels, count in counts(self._session).items():
            family.add_metric(labels, float(count))
        return family

    def _count_alerts(self) -> int | None:
        return self._session.scalar(select(func.count()).select_from(Alert))

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
