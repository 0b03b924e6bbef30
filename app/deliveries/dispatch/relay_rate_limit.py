"""A relay's limits, held over all senders together, and true over any window.

Messages per second and minute go by reserved instants, spaced a little wider than the limit: each
sender takes the next free ones. Messages per hour and day are counted when they are permitted, over
a window that is longer by the time for which a permit is good: whichever window is looked at, no
more went.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.database import Transaction
from app.deliveries.ledger.models import RelayConnection, RelayGrant, RelayPace, Sender
from app.dialects import insert_if_absent
from app.mail.limits import Limits
from app.mail.relay import Relay

# A permit that was not used in this time is void, and another has to be asked for: by the hour it
# does not matter, but messages of one second must not run into those of the next.
GOOD_FOR = timedelta(seconds=3)
GOOD_FOR_OF_A_SECOND = timedelta(milliseconds=100)
# Instants are reserved no further ahead than this.
HORIZON = timedelta(seconds=1)
# So much wider than the limit: by the time a permit is good for, and a little for the clock.
MARGIN = 1.12
# The same for a minute, in seconds: by the time that a permit is good for, and a little.
_A_MINUTE = 64.0
_EVER = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Permit(NamedTuple):
    """When a message may go, and the count it belongs to."""

    at: datetime
    grant: int


def reserve(session: Transaction, relay: Relay, wanted: int, *, now: datetime) -> list[Permit]:
    """Return when up to `wanted` messages may go, the first the soonest."""
    limits = relay.limits
    insert_if_absent(session, RelayPace, [{"relay": relay.name, "next_at": _EVER}])
    pace = session.get_one(RelayPace, relay.name, with_for_update=True)
    free = min(wanted, _uncounted(session, relay.name, limits, now))
    instants = _instants(limits, max(pace.next_at, now), free, now + HORIZON)
    if not instants:
        return []
    pace.next_at = instants[-1] + spacing(limits)
    grant = RelayGrant(relay=relay.name, at=instants[-1], count=len(instants))
    session.add(grant)
    session.flush()
    return [Permit(at, grant.id) for at in instants]


def give_back(session: Transaction, unused: Mapping[int, int]) -> None:
    """Take permits that were surely not used out of their counts, for others to have."""
    for grant, count in unused.items():
        session.execute(
            update(RelayGrant)
            .where(RelayGrant.id == grant)
            .values(count=RelayGrant.count - count)
            .execution_options(synchronize_session=False)
        )


def _instants(limits: Limits, first: datetime, count: int, last: datetime) -> list[datetime]:
    apart = spacing(limits)
    instants = (first + number * apart for number in range(count))
    return [instant for instant in instants if instant <= last]


def spacing(limits: Limits) -> timedelta:
    """Return how far apart messages go, so that no second and no minute holds too many."""
    apart = 0.0
    if limits.per_second:
        apart = MARGIN / limits.per_second
    if limits.per_minute:
        apart = max(apart, _A_MINUTE / limits.per_minute)
    return timedelta(seconds=apart)


def _uncounted(session: Session, relay: str, limits: Limits, now: datetime) -> int:
    """Return how many messages may still be permitted, by the hour and by the day."""
    free = 1 << 30
    for most, window in ((limits.per_hour, _HOUR), (limits.most_in_a_day(now.date()), _DAY)):
        if most is not None:
            begins = now - window - GOOD_FOR - HORIZON
            query = select(func.sum(RelayGrant.count)).where(
                RelayGrant.relay == relay, RelayGrant.at > begins
            )
            free = min(free, most - int(session.scalar(query) or 0))
    return max(free, 0)


_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def forget_grants(session: Transaction, *, now: datetime) -> int:
    """Delete the counts that no window reaches any more; return how many."""
    old = session.scalars(select(RelayGrant.id).where(RelayGrant.at < now - 2 * _DAY)).all()
    session.execute(delete(RelayGrant).where(RelayGrant.id.in_(old)))
    return len(old)


def living_senders(session: Session, *, now: datetime) -> int:
    """Return how many senders there are, ourselves included."""
    living = select(func.count()).select_from(Sender).where(Sender.lease_until > now)
    return int(session.scalar(living) or 1)


def acquire_connection(
    session: Transaction, relay: str, number: int, of: int, sender_id: int, *, now: datetime
) -> bool:
    """Take connection `number` of the `of` that the relay allows to all senders together.

    False if another living sender has it, or if we have our fair share already.
    """
    insert_if_absent(
        session, RelayConnection, [{"relay": relay, "number": number, "sender_id": None}]
    )
    living = select(Sender.id).where(Sender.lease_until > now)
    senders = living_senders(session, now=now)
    others = select(func.count()).where(
        RelayConnection.relay == relay,
        RelayConnection.sender_id == sender_id,
        RelayConnection.number != number,
    )
    if int(session.scalar(others) or 0) >= -(-of // senders):
        return False
    free = (
        RelayConnection.sender_id.is_(None)
        | (RelayConnection.sender_id == sender_id)
        | RelayConnection.sender_id.not_in(living)
    )
    taken = session.execute(
        update(RelayConnection)
        .where(RelayConnection.relay == relay, RelayConnection.number == number, free)
        .values(sender_id=sender_id)
        .returning(RelayConnection.number)
        .execution_options(synchronize_session=False)
    ).all()
    return bool(taken)


def release_connection(session: Transaction, relay: str, number: int, sender_id: int) -> None:
    """Give a connection back to whoever wants it."""
    session.execute(
        update(RelayConnection)
        .where(
            RelayConnection.relay == relay,
            RelayConnection.number == number,
            RelayConnection.sender_id == sender_id,
        )
        .values(sender_id=None)
        .execution_options(synchronize_session=False)
    )


@dataclass
class Permits:
    """The permits this process holds for one relay; their instants are of the wall clock."""

    limits: Limits
    waiting: int = 0  # messages in hand that wait for a permit
    unused: Counter[int] = field(default_factory=Counter)  # void ones, by the count they belong to
    _held: deque[Permit] = field(default_factory=deque)

    def add(self, permits: list[Permit]) -> None:
        """Take in what was reserved."""
        self._held.extend(permits)

    def missing(self, wanted: int, now: datetime) -> int:
        """Return how many more to reserve: for what waits in hand, and `wanted` behind it."""
        if not self.limits.pace:
            return 0
        self._drop_void(now)
        return max(self.waiting + wanted - len(self._held), 0)

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Count a message in hand while it waits."""
        self.waiting += 1
        try:
            yield
        finally:
            self.waiting -= 1

    def wait(self, now: datetime) -> timedelta | None:
        """Return how long until a message may go; None if that is not known."""
        if not self.limits.pace:
            return timedelta()
        self._drop_void(now)
        return max(self._held[0].at - now, timedelta()) if self._held else None

    def use(self, now: datetime) -> bool:
        """Use up a permit that is good now; False if there is none."""
        if not self.limits.pace:
            return True
        if self.wait(now) != timedelta():
            return False
        self._held.popleft()
        return True

    def _drop_void(self, now: datetime) -> None:
        good_for = GOOD_FOR_OF_A_SECOND if self.limits.per_second else GOOD_FOR
        while self._held and self._held[0].at < now - good_for:
            self.unused[self._held.popleft().grant] += 1
