"""The last look, at most a second before a message goes: whether it still may. Pure.

Still confirmed, the mailing still running, its time not over. That the address was admitted and
opens, and is not suppressed, is seen when it is opened.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from app.deliveries.ledger.due import Due
from app.deliveries.ledger.message_kinds import ALERT, TEST
from app.deliveries.ledger.reasons import (
    CANCELLED_BY_OPERATOR,
    EXPIRED,
    NOT_ALLOWED,
    UNSUBSCRIBED,
    WITHDRAWN,
)
from app.deliveries.ledger.states import EXCLUDED, FAILED
from app.mailings.states import CANCELLED, RUNNING

Ends = dict[tuple[str, str], list[int]]
"""Deliveries by the last state and the reason they come to."""


@dataclass
class Looked:
    """What becomes of claims: they may go, go back into the queue, or end with a reason."""

    wanted: list[Due] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    ended: Ends = field(default_factory=dict)


def look(claims: Iterable[Due], *, alerts: bool, now: datetime) -> Looked:
    """Look at each claim. `alerts`: whether there is a mailbox for the operators' alerts."""
    looked = Looked()
    for each in claims:
        end = _end(each, alerts=alerts, now=now)
        if end is not None:
            looked.ended.setdefault(end, []).append(each.claim.delivery_id)
        elif each.mailing != RUNNING:
            looked.released.append(each.claim.delivery_id)
        else:
            looked.wanted.append(each)
    return looked


def _end(each: Due, *, alerts: bool, now: datetime) -> tuple[str, str] | None:
    if each.mailing == CANCELLED:
        return EXCLUDED, CANCELLED_BY_OPERATOR
    if each.claim.expires_at <= now:
        return FAILED, EXPIRED
    if each.mailing != RUNNING:
        return None
    if each.claim.kind == ALERT:
        return None if alerts else (EXCLUDED, NOT_ALLOWED)
    if each.claim.kind == TEST:
        return None
    if each.reader is None:
        return EXCLUDED, UNSUBSCRIBED if each.claim.mailing_id is not None else WITHDRAWN
    return None
