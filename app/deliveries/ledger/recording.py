"""Recording: what the relay said becomes the message's state, many messages in one transaction.

Only a row that this sender still holds is changed (compare and set), so recording twice, or after
somebody else took over, changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import ColumnElement, update

from app.database import Transaction
from app.deliveries.ledger.backoff import wait
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.reasons import UNFIT, reason_of
from app.deliveries.ledger.states import CLAIMED, DEFERRED, FAILED, PENDING, SENT, UNCERTAIN
from app.dialects import in_ids
from app.mail.replies import (
    MAILING_REFUSED,
    RELAY_WRONG,
    Disposition,
    Outcome,
    RetryClass,
    Scope,
)

STATE = {
    Outcome.ACCEPTED: SENT,
    Outcome.RETRY: DEFERRED,
    Outcome.FAILED: FAILED,
    Outcome.UNCERTAIN: UNCERTAIN,
}
# So often a message that somebody asked for is refused unexplained before it is given up.
SERVICE_TRIES = 8
_AT_ONCE = 10_000
_RELEASED: dict[str, object] = {"state": PENDING, "claimed_by": None}


@dataclass(frozen=True, slots=True)
class DeliveryUpdate:
    """One message's new standing in the ledger."""

    delivery_id: int
    state: str
    reason: str | None
    due_at: datetime | None
    reply_code: int | None
    reply_status: str | None
    relay: str
    attempts: int


def written(  # noqa: PLR0913 (what happened to one message)
    delivery_id: int,
    attempts: int,
    verdict: Disposition,
    *,
    relay: str,
    code: int | None,
    status: str | None,
    repeat_doubt: bool,
    expires_at: datetime,
    chance: float,
    now: datetime,
) -> DeliveryUpdate:
    """Say how a verdict is written down. `attempts` counts this one.

    A doubt about a message that somebody asked for (`repeat_doubt`) becomes a retry, and so does a
    refusal that may be our own fault: no operator sends that one again. A mailing's message that is
    refused by our own fault is pending, at once if its mailing is paused for it. No retry is put
    off beyond the message's life: then it is looked at once more, and given up.
    """
    outcome, pace = verdict.outcome, verdict.pace
    if outcome is Outcome.UNCERTAIN and repeat_doubt:
        outcome, pace = Outcome.RETRY, RetryClass.LATER
    if repeat_doubt and attempts < SERVICE_TRIES and _is_suspect(verdict):
        outcome, pace = Outcome.RETRY, RetryClass.OPERATOR
    state = STATE[outcome]
    due_at = min(now + wait(pace, attempts, chance), expires_at) if state == DEFERRED else None
    if _is_ours(verdict) and not repeat_doubt:
        state = PENDING
        due_at = now if verdict == MAILING_REFUSED else due_at
    reason = None if state == SENT else reason_of(verdict)
    return DeliveryUpdate(delivery_id, state, reason, due_at, code, status, relay, attempts)


def _is_ours(verdict: Disposition) -> bool:
    """Whether the sender's own fault stops the mailing or the relay, so that messages wait."""
    return verdict in (MAILING_REFUSED, RELAY_WRONG)


def _is_suspect(verdict: Disposition) -> bool:
    """Whether a message failed for what may be the sender's own fault."""
    return verdict.outcome is Outcome.FAILED and verdict.concern is not Scope.READER


def record(session: Transaction, sender_id: int, rows: Sequence[DeliveryUpdate]) -> None:
    """Write these messages' states, those that ended alike in one statement."""
    alike: dict[tuple[object, ...], list[int]] = {}
    for row in rows:
        alike.setdefault(_values(row), []).append(row.delivery_id)
    for values, ids in alike.items():
        state, reason, due_at, code, status, relay, attempts = values
        more = {} if due_at is None else {"due_at": due_at}
        new = {
            "state": state,
            "reason": reason,
            "reply_code": code,
            "reply_status": status,
            "relay": relay,
            "attempts": attempts,
            "claimed_by": None,
        }
        _change(session, sender_id, in_ids(Delivery.id, ids), {**new, **more})


def _values(row: DeliveryUpdate) -> tuple[object, ...]:
    return (
        *(row.state, row.reason, row.due_at, row.reply_code, row.reply_status, row.relay),
        row.attempts,
    )


def release(session: Transaction, sender_id: int, ids: Iterable[int]) -> None:
    """Give back claims that were not tried: they are pending again, as if never claimed."""
    for some in batched(ids):
        _change(session, sender_id, in_ids(Delivery.id, some), _RELEASED)


def batched(ids: Iterable[int]) -> Iterator[list[int]]:
    """Part many numbers into so many that a statement may name: parked messages may be many."""
    left = iter(ids)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def release_unknown(session: Transaction, sender_id: int, known: Iterable[int]) -> None:
    """Give back the sender's claims that it does not know of: a commit it never heard of.

    What is parked is known: nothing is parked before the sender knows of it.
    """
    unknown = ~in_ids(Delivery.id, list(known)) & Delivery.attempted_at.is_not(None)
    _change(session, sender_id, unknown, _RELEASED)


def end(
    session: Transaction, sender_id: int, ended: Mapping[tuple[str, str], Iterable[int]]
) -> None:
    """Bring claims to their last state, each with its reason."""
    for (state, reason), ids in ended.items():
        values = {"state": state, "reason": reason, "claimed_by": None}
        _change(session, sender_id, in_ids(Delivery.id, list(ids)), values)


def defer(session: Transaction, sender_id: int, ids: Iterable[int], *, until: datetime) -> None:
    """Give back claims whose messages cannot be made now."""
    values = {"state": DEFERRED, "reason": UNFIT, "due_at": until}
    _change(session, sender_id, in_ids(Delivery.id, list(ids)), {**_RELEASED, **values})


def _change(
    session: Transaction, sender_id: int, which: ColumnElement[bool], values: Mapping[str, object]
) -> None:
    session.execute(
        update(Delivery)
        .where(which, Delivery.claimed_by == sender_id, Delivery.state == CLAIMED)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
