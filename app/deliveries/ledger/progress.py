"""Where a mailing stands: its balance, as people and programs read it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.deliveries.ledger.models import AggregatedCount, Delivery
from app.deliveries.ledger.states import EXCLUDED, OPEN, SENT, STATES
from app.mailings.models import Mailing


@dataclass
class Balance:
    """How many messages stand in each state, and why some readers were left out."""

    audience: int | None
    states: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATES, 0))
    excluded: dict[str, int] = field(default_factory=dict)

    def add(self, state: str, reason: str | None, count: int) -> None:
        """Count `count` messages."""
        self.states[state] += count
        if state == EXCLUDED:
            why = reason or "unknown"
            self.excluded[why] = self.excluded.get(why, 0) + count

    @property
    def balances(self) -> bool:
        """Whether the books balance: each of the audience stands in exactly one state."""
        return self.audience is None or self.audience == sum(self.states.values())


def balances(session: Session, mailings: Sequence[Mailing]) -> dict[int, Balance]:
    """Count these mailings' messages, by the mailings' numbers; none before the audience is frozen.

    However many mailings: one statement for those that have rows, one for those that are folded.
    """
    # A session that writes may see messages of a mailing which it read before they were there.
    frozen = [mailing for mailing in mailings if mailing.audience is not None]
    books = {mailing.id: Balance(mailing.audience) for mailing in mailings}
    kept = [mailing.id for mailing in frozen if not mailing.folded]
    folded = [mailing.id for mailing in frozen if mailing.folded]
    for source, count, ids in (
        (Delivery, func.count(), kept),
        (AggregatedCount, func.sum(AggregatedCount.count), folded),
    ):
        if not ids:
            continue
        each = (source.mailing_id, source.state, source.reason)
        query: Select[*tuple[Any, ...]] = (
            select(*each, count).where(source.mailing_id.in_(ids)).group_by(*each)
        )
        for mailing_id, state, reason, number in session.execute(query):
            books[mailing_id].add(state, reason, int(number))
    return books


def balance(session: Session, mailing: Mailing) -> Balance:
    """Count one mailing's messages."""
    return balances(session, [mailing])[mailing.id]


def sent_by_revision(session: Session, mailing: Mailing) -> dict[str, int]:
    """Count the messages that were sent, by the revision of the edition that they held."""
    if mailing.sent_by_revision is not None:
        counts: dict[str, int] = json.loads(mailing.sent_by_revision)
        return counts
    revision = func.coalesce(Delivery.revision, 1)
    rows = session.execute(
        select(revision, func.count())
        .where(Delivery.mailing_id == mailing.id, Delivery.state == SENT)
        .group_by(revision)
        .order_by(revision)
    )
    return {str(number): count for number, count in rows}


def unbalanced(session: Session) -> list[int]:
    """Return the numbers of the mailings whose books do not balance: always none."""
    books = balances(session, session.scalars(select(Mailing).order_by(Mailing.id)).all())
    return [mailing_id for mailing_id, each in books.items() if not each.balances]


def pace(books: Balance, mailing: Mailing, now: datetime) -> tuple[float | None, int | None]:
    """Return how many messages a second were dealt with since the launch, and the seconds left.

    None where there is nothing to tell yet, or nothing more to come.
    """
    elapsed = ((mailing.finished_at or now) - mailing.launched_at).total_seconds()
    waiting = sum(books.states[state] for state in OPEN)
    dealt_with = sum(books.states.values()) - waiting
    if elapsed <= 0 or not dealt_with:
        return None, None
    rate = dealt_with / elapsed
    return round(rate, 1), round(waiting / rate) if waiting else None


def as_record(session: Session, mailing: Mailing, *, now: datetime) -> dict[str, object]:
    """Return a mailing with its balance, as the API and the command line show it."""
    return as_records(session, [mailing], now=now)[0]


def as_records(
    session: Session, mailings: Sequence[Mailing], *, now: datetime
) -> list[dict[str, object]]:
    """Return mailings with their balances, in the order given."""
    books = balances(session, mailings)
    return [
        {
            **_record(mailing, books[mailing.id], now),
            "revision": mailing.revision,
            "sent_by_revision": _by_revision(session, mailing, books[mailing.id]),
        }
        for mailing in mailings
    ]


def _by_revision(session: Session, mailing: Mailing, books: Balance) -> dict[str, int]:
    """As `sent_by_revision`, without a look at the ledger where there was one revision only."""
    if mailing.revision == 1:
        return {"1": books.states[SENT]} if books.states[SENT] else {}
    return sent_by_revision(session, mailing)


def _record(mailing: Mailing, books: Balance, now: datetime) -> dict[str, object]:
    rate, seconds_left = pace(books, mailing, now)
    return {
        "id": mailing.id,
        "week": mailing.week,
        "segment": mailing.segment,
        "state": mailing.state,
        "audience": books.audience,
        **{state: books.states[state] for state in STATES if state != EXCLUDED},
        "excluded": books.excluded,
        "launched_at": mailing.launched_at,
        "launched_by": mailing.launched_by,
        "over": mailing.over,
        "finished_at": mailing.finished_at,
        "rate": rate,
        "seconds_left": seconds_left,
    }
