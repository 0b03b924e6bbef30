"""Test messages that operators ask for: sealed here, sent by the sender as any other message.

A row holds its sealed address until the outcome is known, and nothing of it afterwards. It joins
the queue once, and is never repeated by itself after an attempt whose end nobody knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import Row, delete, func, literal, null, or_, select, update
from sqlalchemy.orm import Session

from app.addresses.address import EmailAddress
from app.addresses.public_keys import PublicKeys
from app.addresses.test_seal import seal_test_address
from app.database import Transaction
from app.deliveries.ledger.message_kinds import TEST
from app.deliveries.ledger.models import Delivery, Sender
from app.deliveries.ledger.reasons import EXPIRED, NOT_ALLOWED
from app.deliveries.ledger.states import (
    CLAIMED,
    DEFERRED,
    EXCLUDED,
    FAILED,
    OPEN,
    PENDING,
    SENT,
    UNCERTAIN,
)
from app.dialects import insert_from_select
from app.errors import DomainError
from app.operators.models import TestMessage
from app.tokens import new_id

LIFE = timedelta(minutes=15)
"""So long a sender tries: an editor waits for it."""

KEPT = timedelta(hours=1)
"""So long its outcome can be asked for after that."""

MOST = 100
"""So many may wait at once: a test is for a few pairs of eyes."""


class NoSender(DomainError):
    """No sender is running, so no test email can be sent; nothing of it was kept.

    Start it on the sender's host (`vestka serve --role sender`, or `vestka serve` for all roles).
    """

    def __str__(self) -> str:
        """Both sentences in one line."""
        return " ".join((self.__doc__ or "").split())


class TooManyTests(DomainError):
    """Too many test emails are waiting; please try again in a few minutes."""


class TestUnknown(DomainError):
    """There is no such test email, or it is forgotten: outcomes are kept for about an hour."""

    __test__ = False


class TestState(StrEnum):
    """Where a test message stands."""

    __test__ = False

    WAITING = "waiting"
    SENDING = "sending"
    DEFERRED = "deferred"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    NOT_ALLOWED = "not allowed"
    EXPIRED = "expired"
    FAILED = "failed"


UNSETTLED = (TestState.WAITING, TestState.SENDING)
"""What an editor waits for. A deferred one has its answer for now; it is tried again."""

_OF_DELIVERY = {
    PENDING: TestState.WAITING,
    CLAIMED: TestState.SENDING,
    DEFERRED: TestState.DEFERRED,
    SENT: TestState.ACCEPTED,
    FAILED: TestState.REFUSED,
    UNCERTAIN: TestState.UNCERTAIN,
    EXCLUDED: TestState.FAILED,
}
_OF_REASON = {EXPIRED: TestState.EXPIRED, NOT_ALLOWED: TestState.NOT_ALLOWED}


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What is known of one test message: its state, and the relay's code, if it answered."""

    __test__: ClassVar[bool] = False

    id: bytes
    state: TestState
    reply_code: int | None
    reply_status: str | None
    reason: str | None


def request_tests(
    session: Transaction,
    keys: PublicKeys,
    addresses: Sequence[EmailAddress],
    edition: tuple[str, str, str],
    *,
    now: datetime,
) -> list[bytes]:
    """Leave test messages of an edition (week, segment, language) for a sender; return their ids.

    Raises NoSender or TooManyTests, and then leaves nothing.
    """
    living = select(func.count()).select_from(Sender).where(Sender.lease_until > now)
    if not session.scalar(living):
        raise NoSender
    waiting = select(func.count()).select_from(TestMessage).where(TestMessage.expires_at > now)
    if (session.scalar(waiting) or 0) + len(addresses) > MOST:
        raise TooManyTests
    week, segment, language = edition
    rows = []
    for address in addresses:
        test_id = new_id()
        rows.append(
            TestMessage(
                id=test_id,
                sealed=seal_test_address(keys.hot_sealing, test_id, address),
                week=week,
                segment=segment,
                language=language,
                expires_at=now + LIFE,
            )
        )
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows]


def outcomes_of(
    session: Session, ids: Sequence[bytes], *, week: str | None = None
) -> list[TestOutcome]:
    """Return the outcomes, in the order of the ids. Raises TestUnknown if one is not there."""
    query = (
        select(TestMessage.id, TestMessage.week, Delivery.state)
        .add_columns(Delivery.reply_code, Delivery.reply_status, Delivery.reason)
        .outerjoin(Delivery, Delivery.service_message_id == TestMessage.id)
        .where(TestMessage.id.in_(ids))
    )
    found = {row.id: row for row in session.execute(query)}
    if any(each not in found or week not in (None, found[each].week) for each in ids):
        raise TestUnknown
    return [_outcome(found[each]) for each in ids]


def _outcome(row: Row[*tuple[Any, ...]]) -> TestOutcome:
    state = _state(row.state, row.reason)
    return TestOutcome(row.id, state, row.reply_code, row.reply_status, row.reason)


def _state(delivery: str | None, reason: str | None) -> TestState:
    if delivery is None:
        return TestState.WAITING
    return _OF_REASON.get(reason or "") or _OF_DELIVERY[delivery]


def take_in_tests(session: Transaction, *, now: datetime) -> int:
    """Queue test messages, and forget the addresses of those that are over; return how many."""
    queued = select(Delivery.id).where(Delivery.service_message_id == TestMessage.id)
    waiting = select(
        *(literal(TEST), null(), null(), TestMessage.id, literal(PENDING)),
        *(literal(now, Delivery.due_at.type), TestMessage.expires_at, literal(0)),
    ).where(TestMessage.sealed.is_not(None), TestMessage.expires_at > now, ~queued.exists())
    known = select(TestMessage.id).where(TestMessage.sealed.is_not(None)).limit(1)
    if session.scalar(known) is None:
        return 0
    _forget_addresses(session, now)
    return insert_from_select(session, Delivery, _COLUMNS, waiting)


_COLUMNS = (
    *("kind", "mailing_id", "subscriber_id", "service_message_id", "state"),
    *("due_at", "expires_at", "attempts"),
)


def _forget_addresses(session: Transaction, now: datetime) -> None:
    """Blank the seals of what no sender will need again, whatever its outcome."""
    theirs = Delivery.service_message_id == TestMessage.id
    over = select(Delivery.id).where(theirs, Delivery.state.not_in(OPEN)).exists()
    open_ = select(Delivery.id).where(theirs).exists()
    session.execute(
        update(TestMessage)
        .where(
            TestMessage.sealed.is_not(None),
            or_(over, ~open_ & (TestMessage.expires_at <= now)),
        )
        .values(sealed=None)
        .execution_options(synchronize_session=False)
    )


def forget_tests(session: Transaction, *, now: datetime) -> None:
    """Delete test messages whose outcome nobody will ask for any more."""
    session.execute(delete(TestMessage).where(TestMessage.expires_at < now - KEPT))
